"""How long the runs that are left will take."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence

from benchmarks.verdict_quality.plan import Kind, Plan, Slowed, Task
from benchmarks.verdict_quality.results import Line

STARTING_S = 8.0
"""Two containers, the generator, and their removal."""
LOCUST_S = 3.0


def seconds_for(steps: Sequence[Slowed | Task], plan: Plan, lines: Iterable[Line]) -> list[float]:
    """Expected seconds of each step: the mean of its like so far, before that as long as it can take."""
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)
    for line in lines:
        if "took_s" in line:
            taken[line["kind"], line["name"]].append(line["took_s"])
    return [
        statistics.fmean(taken[key]) if (key := _key(step)) in taken else _at_most(step, plan)
        for step in steps
    ]


def _key(step: Slowed | Task) -> tuple[str, str]:
    return (Kind.CALIBRATION.value, step.key) if isinstance(step, Slowed) else (step.kind.value, step.name)


def _at_most(step: Slowed | Task, plan: Plan) -> float:
    if isinstance(step, Slowed):
        return STARTING_S + plan.calibration.budget_s
    if step.kind is Kind.ACCURACY:
        return STARTING_S + plan.accuracy.requests / plan.accuracy.rate_per_s
    if step.kind is Kind.STOCK:
        return STARTING_S + 2 * (plan.stock.duration_s + LOCUST_S)
    return STARTING_S + plan.scenario(step.name).budget_s


def clock(seconds: float) -> str:
    """``1 h 05 min`` or ``3 min``."""
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
