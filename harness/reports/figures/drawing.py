"""Reads the evidence that a report names, and draws it; whatever cannot be drawn says why in its place."""

import math
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from harness.checks.drift.evidence import DriftEvidence
from harness.checks.golden.evidence import GoldenEvidence
from harness.checks.golden.limits import GoldenLimits
from harness.checks.interface import Evidence
from harness.checks.latency.burst import LatencyBurst
from harness.checks.latency.evidence import SAMPLES_FILE, LatencyEvidence
from harness.checks.latency.limits import LatencyLimits
from harness.checks.table import STORED
from harness.config.suite import GateConfig, parse_suite
from harness.errors import ConfigError
from harness.evidence_files import verify
from harness.model import CheckResult, Outcome, Report
from harness.reports.figures.course import course
from harness.reports.figures.golden import OutputErrors, errors_of, golden_errors
from harness.reports.figures.interface import Figure
from harness.reports.figures.percentiles import Interval, percentiles
from harness.reports.figures.predictions import predictions, predictions_of
from harness.reports.figures.response_times import response_times
from harness.reports.figures.timeline import timeline
from harness.reports.text import cut

MOST_EVIDENCE_BYTES = 512 * 1024 * 1024
"""Of one check, that is read to draw it."""

MOST_BYTES_IN_A_RUN = 64 * 1024 * 1024
"""Likewise where the report is not saved yet: a plot must not cost the verdict."""

_MOST_PROBLEM = 300
_EVIDENCE: Mapping[str, type[Any]] = {check.id: check.evidence for check in STORED}

T = TypeVar("T")


@dataclass(frozen=True)
class _Stored:
    """The evidence of a run, and how many bytes of it are read for one check."""

    folder: Path
    most_bytes: int

    def require_bounded(self, size: int) -> None:
        if size > self.most_bytes:
            left = self.most_bytes < MOST_EVIDENCE_BYTES
            raise ValueError(
                f"{size} bytes of evidence, more than the {self.most_bytes} that are drawn"
                + (f"; `harness report RUN.json --format html` draws {MOST_EVIDENCE_BYTES}" if left else "")
            )


def draw(report: Report, folder: Path, most_bytes: int = MOST_EVIDENCE_BYTES) -> tuple[Figure, ...]:
    """Every plot of a run; never raises.

    Args:
        report: Whose policy has the limits.
        folder: Its evidence. What is not as the report says is not drawn.
        most_bytes: Of the evidence of one check; more is not drawn.
    """
    stored = _Stored(folder, most_bytes)
    try:
        suite = parse_suite(report.policy.content, Path(report.policy.path)).on(report.candidate.device)
    except ConfigError as error:
        return (
            Figure(checks=(), title="Plots", problem=f"The policy in the report cannot be read: {error}"),
        )
    made = [check for check in report.checks if check.outcome is not Outcome.NOT_APPLICABLE]
    return (
        *(figure for check in made for figure in _latency(check, stored, suite.config)),
        *_golden(made, stored, suite.config),
        *(figure for check in made for figure in _drift(check, stored)),
    )


def _latency(check: CheckResult, stored: _Stored, config: GateConfig) -> tuple[Figure, ...]:
    if config.latency is None or not _leaves(check, LatencyEvidence):
        return ()
    declared = config.latency.limits
    limits = declared.within_bursts if check.id == LatencyBurst.id else declared
    return _tried(check, f"Latency, {check.id}", stored, partial(_of_load, stored, check, limits))


def _of_load(stored: _Stored, check: CheckResult, limits: LatencyLimits, folder: Path) -> tuple[Figure, ...]:
    with zipfile.ZipFile(folder / SAMPLES_FILE) as arrays:
        stored.require_bounded(sum(each.file_size for each in arrays.infolist()))
    evidence = LatencyEvidence.load(folder)
    return (
        percentiles(response_times(evidence, limits), check.id, _intervals(check, limits)),
        timeline(course(evidence, limits), check.id),
    )


def _intervals(check: CheckResult, limits: LatencyLimits) -> dict[str, Interval]:
    """The bounds of the candidate's quantiles that the findings have; one that there is not is no bound."""
    return {
        name: (
            0.0 if finding.lower is None else finding.lower,
            math.inf if finding.upper is None else finding.upper,
        )
        for name in limits.by_name
        for finding in check.findings
        if finding.id in (f"{check.id}.{name}", f"{check.id}.{name}.slo")
        and not finding.lower is finding.upper is None
    }


def _golden(checks: Sequence[CheckResult], stored: _Stored, config: GateConfig) -> Iterator[Figure]:
    """One plot of all golden checks that compare outputs, after what is said of those that cannot be read."""
    outputs: list[OutputErrors] = []
    for check in checks:
        if config.golden is None or not _leaves(check, GoldenEvidence):
            continue
        read = partial(_outputs_of, check, config.golden.limits)
        for each in _tried(check, f"Golden errors, {check.id}", stored, read):
            if isinstance(each, Figure):
                yield each
            else:
                outputs.append(each)
    if outputs:
        ids = tuple(dict.fromkeys(each.check_id for each in outputs))
        yield from _caught(ids, "Golden errors", lambda: (golden_errors(outputs),))


def _outputs_of(check: CheckResult, limits: GoldenLimits, folder: Path) -> tuple[OutputErrors, ...]:
    evidence = _EVIDENCE[check.id].load(folder)
    return errors_of(check.id, evidence, evidence.limits(limits))


def _drift(check: CheckResult, stored: _Stored) -> tuple[Figure, ...]:
    if not _leaves(check, DriftEvidence):
        return ()
    return _tried(check, f"Predictions, {check.id}", stored, partial(_of_predictions, check))


def _of_predictions(check: CheckResult, folder: Path) -> tuple[Figure, ...]:
    drawn = predictions_of(DriftEvidence.load(folder))
    return tuple(predictions(each, check.id, check.findings) for each in drawn)


def _leaves(check: CheckResult, kind: type[Evidence]) -> bool:
    return issubclass(_EVIDENCE.get(check.id, Evidence), kind)


def _tried(
    check: CheckResult, title: str, stored: _Stored, make: Callable[[Path], tuple[T, ...]]
) -> tuple[T | Figure, ...]:
    """What ``make`` makes of the evidence of a check, or why it makes nothing."""
    if not check.evidence_files:
        left = f"{check.id} left no evidence: {check.outcome.value.replace('_', ' ')}."
        return (Figure(checks=(check.id,), title=title, problem=left),)

    def read() -> tuple[T, ...]:
        verify(check.evidence_files, stored.folder)
        stored.require_bounded(sum((stored.folder / name).stat().st_size for name in check.evidence_files))
        return make(stored.folder / check.id)

    return _caught((check.id,), title, read)


def _caught(checks: tuple[str, ...], title: str, make: Callable[[], tuple[T, ...]]) -> tuple[T | Figure, ...]:
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - whatever keeps a plot from being drawn, the report stands
        reason = str(error) or type(error).__name__
        return (Figure(checks=checks, title=title, problem=cut(f"Not drawn: {reason}.", _MOST_PROBLEM)),)
