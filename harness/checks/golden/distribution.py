"""Findings on how the errors of all elements of an output are distributed; pure."""

import math
from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.checks.golden.evidence import GoldenEvidence, evidence_path
from harness.checks.golden.limits import ErrorLimits
from harness.checks.golden.settings import OutputSettings
from harness.checks.golden.wire import WireError, leaves
from harness.model import Finding, Outcome
from harness.stats.quantiles import quantile

WARN_ABOVE = 0.5
ERROR = "error"
"""The unit of what is observed: ``observed - expected``, or its size."""
QUANTILES = {"p50": 0.5, "p99": 0.99, "max": 1.0}

Errors = Mapping[str, "array[float]"]
"""``observed - expected`` of every finite element, by its pointer from the output: eight bytes for each."""


def judge_errors(check_id: str, evidence: GoldenEvidence, name: str, limits: ErrorLimits) -> list[Finding]:
    """A finding for each limit that is declared: ``<check>.<output>.bias``, ``.p50``, ``.p99``, ``.max``."""
    errors = errors_of(evidence, name, evidence.outputs[name])
    return [
        _finding(check_id, f"{name}.{measured.name}", measured, limits.least)
        for measured in _measured(errors, limits)
    ]


def errors_of(evidence: GoldenEvidence, name: str, output: OutputSettings) -> Errors:
    """The errors of one output; what does not fit its declaration has a finding of its own."""
    errors: dict[str, array[float]] = defaultdict(lambda: array("d"))
    for case in evidence.cases:
        if case.problem or name in case.missing:
            continue
        try:
            observed = leaves(case.observed[name], output)
        except WireError:
            continue
        for pointer, expected in leaves(case.expected[name], output).items():
            if math.isfinite(value := float(observed[pointer])) and math.isfinite(float(expected)):
                errors[pointer].append(value - float(expected))
    return errors


@dataclass(frozen=True)
class _Measured:
    """One measure of the errors.

    Attributes:
        what: What it is of, in words.
    """

    name: str
    limit: float
    value: float
    samples: int
    what: str


def _measured(errors: Errors, limits: ErrorLimits) -> Iterator[_Measured]:
    """Every measure that has a limit."""
    every = array("d")
    for place in errors.values():
        every.extend(place)
    if limits.bias is not None:
        yield _bias(errors, every, limits.bias, limits.least)
    sizes = np.abs(np.frombuffer(every))
    for name, probability in QUANTILES.items():
        limit = getattr(limits, name)
        if limit is not None:
            value = quantile(sizes, probability) if every else 0.0
            yield _Measured(name, limit, value, len(every), f"{name} of the error")


def _bias(errors: Errors, every: Sequence[float], limit: float, least: int) -> _Measured:
    """The largest mean error, of all elements and of those at one place.

    Scores that add up to 1 have no bias together: what one class gets, another one lacks.
    """
    groups = {"of all elements": every} | {
        f"at {pointer}": place for pointer, place in errors.items() if pointer and len(place) >= least
    }
    means = {where: _mean(group) for where, group in groups.items()}
    where = max(means, key=lambda group: abs(means[group]))
    return _Measured("bias", limit, means[where], len(groups[where]), f"mean error {where}")


def _mean(errors: Sequence[float]) -> float:
    """Infinite where the sum is, also where it would be one of opposite infinities; 0 without errors."""
    total = sum(errors)
    return total / max(len(errors), 1) if math.isfinite(total) else math.inf


def _finding(check_id: str, name: str, measured: _Measured, least: int) -> Finding:
    value, limit, samples = measured.value, measured.limit, measured.samples
    if samples < least:
        outcome, message = Outcome.INCONCLUSIVE, f"{samples} elements to compare, at least {least} are needed"
    else:
        beyond, near = abs(value) > limit, abs(value) > WARN_ABOVE * limit
        outcome = Outcome.FAIL if beyond else Outcome.WARN if near else Outcome.PASS
        how = "beyond" if beyond else "within"
        message = f"{measured.what} is {value:.3g}, {how} {limit:g}, over {samples} elements"
    return Finding(
        id=f"{check_id}.{name}",
        outcome=outcome,
        message=message,
        observed=value,
        limit=limit,
        unit=ERROR,
        samples=samples,
        evidence=evidence_path(check_id),
    )
