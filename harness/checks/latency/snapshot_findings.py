"""What a report says of the snapshots of both services' metrics; pure. They show, and decide nothing."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from harness.checks.latency.findings import CHECK_ID, finding
from harness.checks.latency.snapshot_taker import FOLDER
from harness.checks.latency.snapshots import Snapshot
from harness.model import Finding, Outcome


def judge_snapshots(snapshots: Sequence[Snapshot]) -> list[Finding]:
    """Return one finding about the snapshots, and one for each declared counter; none without snapshots."""
    if not snapshots:
        return []
    return [_kept(snapshots), *_counters(snapshots)]


def _kept(snapshots: Sequence[Snapshot]) -> Finding:
    failed = [snapshot for snapshot in snapshots if snapshot.problem]
    window_s = snapshots[-1].taken_s - snapshots[0].taken_s
    message = f"{len(snapshots)} snapshots of the metrics were kept, of {window_s:.0f} s"
    if failed:
        message += f"; {len(failed)} are not whole, the first {failed[0].side}'s: {failed[0].problem}"
    return _finding("metrics", Outcome.WARN if failed else Outcome.PASS, message, snapshots)


def _counters(snapshots: Sequence[Snapshot]) -> Iterator[Finding]:
    readable = [snapshot for snapshot in snapshots if not snapshot.problem]
    sides = sorted({snapshot.side for snapshot in snapshots})
    for name in sorted({name for snapshot in readable for name in snapshot.counters}):
        texts, rises, doubtful = [], {}, False
        for side in sides:
            values = [snapshot.counters.get(name) for snapshot in readable if snapshot.side == side]
            known = [value for value in values if value is not None]
            rises[side], falls = increase(known)
            texts.append(_described(side, rises[side], falls=falls, missing=len(values) - len(known)))
            doubtful = doubtful or rises[side] is None or bool(falls) or len(known) < len(values)
        yield _finding(
            f"metrics.{name}",
            Outcome.WARN if doubtful else Outcome.PASS,
            f"{name} rose by {', '.join(texts)}",
            snapshots,
            observed=rises.get("candidate"),
        )


def increase(values: Sequence[float]) -> tuple[float | None, int]:
    """Return how far a counter rose, None with fewer than two values, and how often it fell.

    A value below the last one has begun at 0 anew, as Prometheus' `increase` has it (without extrapolation).
    """
    if len(values) < 2:  # noqa: PLR2004 - a rise is from one value to another
        return None, 0
    steps = [(after, after - before) for before, after in pairwise(values)]
    return sum(step if step >= 0 else after for after, step in steps), sum(step < 0 for _, step in steps)


def _described(side: str, rise: float | None, *, falls: int, missing: int) -> str:
    text = f"an unknown number at the {side}" if rise is None else f"{rise:g} at the {side}"
    notes = [f"it fell {falls} times, as at a restart or behind a balancer"] if falls else []
    notes += [f"{missing} snapshots do not have it"] if missing else []
    return f"{text} ({'; '.join(notes)})" if notes else text


def _finding(
    name: str,
    outcome: Outcome,
    message: str,
    snapshots: Sequence[Snapshot],
    *,
    observed: float | None = None,
) -> Finding:
    found = finding(name, outcome, message, samples=len(snapshots), observed=observed)
    return found.model_copy(update={"evidence": f"{CHECK_ID}/{FOLDER}"})
