"""A history for people: a table of the runs, and one of how their numbers went."""

from collections.abc import Iterator, Sequence

from harness.history.sparkline import sparkline
from harness.history.tables import TextTable
from harness.history.trend import HistoryGroup, HistoryRun, series
from harness.model import Decision
from harness.reports.text import seconds

_STYLES = {Decision.PROMOTE: "", Decision.REJECT: "red", Decision.INCONCLUSIVE: "yellow"}
_QUANTILES = ("p50", "p95", "p99")
_OTHERS = ("tolerance", "took", "changed")
_MINUTES = len("2026-11-22T10:54")


def tables(group: HistoryGroup) -> Iterator[TextTable]:
    """The runs of a group from the oldest to the newest, and its series."""
    yield TextTable(
        f"{group.suite} on {group.device}",
        ("started", "candidate", "model", "verdict", *(f"{name} ms" for name in _QUANTILES), *_OTHERS),
        tuple(_row(run) for run in group.runs),
        tuple(_STYLES[run.decision] for run in group.runs),
    )
    yield TextTable(
        "Oldest to newest",
        ("", "", "first", "last", "least", "most"),
        tuple(_series(name, values) for name, values in series(group).items()),
    )


def _row(run: HistoryRun) -> tuple[str, ...]:
    partial = " (partial)" if run.partial else ""
    used = max(run.tolerance_used.values(), default=None)
    return (
        run.started_at[:_MINUTES].replace("T", " "),
        run.candidate,
        run.model.version or "",
        f"{run.decision.value}{partial}",
        *(_brief(run.latency_ms.get(name)) for name in _QUANTILES),
        _brief(used),
        seconds(run.duration_s),
        "; ".join(run.changed),
    )


def _series(name: str, values: Sequence[float | None]) -> tuple[str, ...]:
    known = [value for value in values if value is not None]
    ends = known[0], known[-1], min(known), max(known)
    return (name, sparkline(values), *map(_brief, ends))


def _brief(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
