"""By how much a service has to be slowed until the client sees the effect that the scenario is about."""

import statistics
from collections.abc import Iterable

from benchmarks.verdict_quality.plan import Form, Plan, Scenario, Slowed
from benchmarks.verdict_quality.results import Line

ANY = 10.0
"""A margin that hardly anything is beyond."""


def to_calibrate(plan: Plan) -> tuple[Slowed, ...]:
    """What the amounts have to be found of, each once."""
    found = {
        slowed.key: slowed
        for scenario in plan.scenarios
        for slowed in (scenario.candidate, scenario.reference)
        if slowed is not None and slowed.calibrated
    }
    return tuple(found.values())


def measuring(slowed: Slowed, budget_s: float) -> Scenario:
    """A run whose one narrow margin is the effect itself: it is undecided, so it measures to the end."""
    return Scenario(
        name=f"calibration-{slowed.key}",
        title="",
        runs=1,
        budget_s=budget_s,
        limits={
            "p50": {"margin": ANY},
            "p95": {"margin": ANY if slowed.form is Form.CPU else slowed.effect},
            "p99": {"margin": ANY},
            "cpu": {"margin": slowed.effect if slowed.form is Form.CPU else ANY},
        },
        candidate=slowed,
    )


def seen(slowed: Slowed, line: Line) -> float:
    """The effect that a run measured, as a share."""
    if slowed.form is Form.CPU:
        return line["cpu_ms"]["candidate"] / line["cpu_ms"]["reference"] - 1.0
    return line["times_ms"]["candidate"]["p95"] / line["times_ms"]["reference"]["p95"] - 1.0


def amount(slowed: Slowed, lines: Iterable[Line]) -> float:
    """The amount that makes the effect, in proportion to what the measurements so far have seen."""
    measured = [(line["amount"], line["seen"]) for line in of(slowed, lines)]
    if not measured:
        return slowed.amount
    slope = statistics.fmean(seen for _, seen in measured) / statistics.fmean(
        amount for amount, _ in measured
    )
    # A measurement that saw next to nothing says only that it takes more.
    return round(slowed.effect / max(slope, 0.25 * slowed.effect / measured[-1][0]), 4)


def of(slowed: Slowed, lines: Iterable[Line]) -> list[Line]:
    """The measurements of one service among the results."""
    return [
        line
        for line in lines
        if line["kind"] == "calibration" and line["name"] == slowed.key and "error" not in line
    ]
