"""Reads the evidence that a report names, and draws it; whatever cannot be drawn says why in its place."""

import math
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
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
_MOST_PROBLEM = 300
_EVIDENCE: Mapping[str, type[Any]] = {check.id: check.evidence for check in STORED}

T = TypeVar("T")


def draw(report: Report, folder: Path) -> tuple[Figure, ...]:
    """Every plot of a run; never raises.

    Args:
        report: Whose policy has the limits.
        folder: Its evidence. What is not as the report says is not drawn.
    """
    try:
        suite = parse_suite(report.policy.content, Path(report.policy.path)).on(report.candidate.device)
    except ConfigError as error:
        return (
            Figure(checks=(), title="Plots", problem=f"The policy in the report cannot be read: {error}"),
        )
    made = [check for check in report.checks if check.outcome is not Outcome.NOT_APPLICABLE]
    return (
        *(figure for check in made for figure in _latency(check, folder, suite.config)),
        *_golden(made, folder, suite.config),
        *(figure for check in made for figure in _drift(check, folder)),
    )


def _latency(check: CheckResult, folder: Path, config: GateConfig) -> tuple[Figure, ...]:
    if config.latency is None or not _leaves(check, LatencyEvidence):
        return ()
    declared = config.latency.limits
    limits = declared.within_bursts if check.id == LatencyBurst.id else declared
    return _tried(check, f"Latency, {check.id}", folder, partial(_of_load, check, limits))


def _of_load(check: CheckResult, limits: LatencyLimits, folder: Path) -> tuple[Figure, ...]:
    with zipfile.ZipFile(folder / SAMPLES_FILE) as arrays:
        _require_bounded(sum(each.file_size for each in arrays.infolist()))
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


def _golden(checks: Sequence[CheckResult], folder: Path, config: GateConfig) -> Iterator[Figure]:
    """One plot of all golden checks that compare outputs, after what is said of those that cannot be read."""
    outputs: list[OutputErrors] = []
    for check in checks:
        if config.golden is None or not _leaves(check, GoldenEvidence):
            continue
        read = partial(_outputs_of, check, config.golden.limits)
        for each in _tried(check, f"Golden errors, {check.id}", folder, read):
            if isinstance(each, Figure):
                yield each
            else:
                outputs.append(each)
    if outputs:
        yield golden_errors(outputs)


def _outputs_of(check: CheckResult, limits: GoldenLimits, folder: Path) -> tuple[OutputErrors, ...]:
    evidence = _EVIDENCE[check.id].load(folder)
    return errors_of(check.id, evidence, evidence.limits(limits))


def _drift(check: CheckResult, folder: Path) -> tuple[Figure, ...]:
    if not _leaves(check, DriftEvidence):
        return ()
    return _tried(check, f"Predictions, {check.id}", folder, partial(_of_predictions, check))


def _of_predictions(check: CheckResult, folder: Path) -> tuple[Figure, ...]:
    drawn = predictions_of(DriftEvidence.load(folder))
    return tuple(predictions(each, check.id, check.findings) for each in drawn)


def _leaves(check: CheckResult, kind: type[Evidence]) -> bool:
    return issubclass(_EVIDENCE.get(check.id, Evidence), kind)


def _tried(
    check: CheckResult, title: str, folder: Path, make: Callable[[Path], tuple[T, ...]]
) -> tuple[T | Figure, ...]:
    """What ``make`` makes of the evidence of a check, or why it makes nothing."""
    if not check.evidence_files:
        left = f"{check.id} left no evidence: {check.outcome.value.replace('_', ' ')}."
        return (Figure(checks=(check.id,), title=title, problem=left),)
    try:
        verify(check.evidence_files, folder)
        _require_bounded(sum((folder / name).stat().st_size for name in check.evidence_files))
        return make(folder / check.id)
    except Exception as error:  # noqa: BLE001 - whatever keeps a plot from being drawn, the report stands
        why = cut(f"Not drawn: {error or type(error).__name__}.", _MOST_PROBLEM)
        return (Figure(checks=(check.id,), title=title, problem=why),)


def _require_bounded(size: int) -> None:
    if size > MOST_EVIDENCE_BYTES:
        raise ValueError(f"{size} bytes of evidence, more than the {MOST_EVIDENCE_BYTES} that are drawn")
