"""A comparison for people: the tables that a terminal and Markdown show."""

import math
from collections.abc import Iterator, Sequence

from harness.history.comparison import CheckSeen, Comparison, FindingChange, FindingSeen, Movement, Run
from harness.history.tables import TextTable
from harness.model import Direction, Outcome, Scalar
from harness.reports.summary import release_name
from harness.reports.text import declared, quantity, seconds

MOST_MOVED = 60
"""Findings whose outcome is the same and whose numbers are not; the JSON has them all."""

NOTHING = "Nothing differs."
_LARGEST = 1e300
_MOST_PERCENT = 1000
_STYLES = {
    Movement.WORSE: "red",
    Movement.APPEARED: "yellow",
    Movement.DISAPPEARED: "yellow",
    Movement.BETTER: "green",
    Movement.MOVED: "",
}
_WAYS = {Direction.LOOSENED: "red", Direction.TIGHTENED: "green", Direction.CHANGED: "yellow"}


def notes(comparison: Comparison) -> tuple[str, ...]:
    """What a reader has to know before the numbers, a sentence each; untrusted."""
    asked = ", ".join(comparison.asked_otherwise)
    moved = len(_moved(comparison))
    by_chance = sum(_by_chance(change) for change in comparison.findings)
    lines = {
        f"Not asked the same (other settings or files): {asked}.": bool(asked),
        f"Policies were not compared: {comparison.policy_problem}.": bool(comparison.policy_problem),
        f"{moved - MOST_MOVED} more findings with other numbers are in --json.": moved > MOST_MOVED,
        f"Numbers that differ within each other's intervals, in --json only: {by_chance}.": by_chance > 0,
        NOTHING: differs_in_nothing(comparison),
    }
    not_comparable = (f"Not comparable. {line}" for line in comparison.not_comparable)
    return (*not_comparable, *(line for line, applies in lines.items() if applies))


def differs_in_nothing(comparison: Comparison) -> bool:
    """Whether there is no table but that of the two runs; what may well be chance is no difference."""
    same = comparison.then.decision is comparison.now.decision
    return same and len(tables(comparison)) == 1 and not comparison.policy_problem


def tables(comparison: Comparison) -> Sequence[TextTable]:
    """The two runs, and of what differs a table each."""
    return [table for table in _tables(comparison) if table.rows]


def _tables(comparison: Comparison) -> Iterator[TextTable]:
    yield TextTable(
        "",
        ("run", "", "verdict", "candidate", "model", "took"),
        (_run("then", comparison.then), _run("now", comparison.now)),
    )
    yield _who(comparison)
    yield _policy(comparison)
    yield _checks(comparison)
    yield _findings(comparison)


def _who(comparison: Comparison) -> TextTable:
    return TextTable(
        "Who",
        ("", "then", "now"),
        tuple((change.what, change.then or "none", change.now or "none") for change in comparison.identities),
    )


def _policy(comparison: Comparison) -> TextTable:
    return TextTable(
        "Policy",
        ("key", "", "then", "now"),
        tuple(
            (change.key, change.direction.value, declared(change.old), declared(change.new))
            for change in comparison.policy
        ),
        tuple(_WAYS[change.direction] for change in comparison.policy),
    )


def _checks(comparison: Comparison) -> TextTable:
    return TextTable(
        "Checks",
        ("check", "", "outcome", "cases then", "cases now"),
        tuple(
            (
                change.check_id,
                change.movement.value,
                _outcomes(change.then, change.now) + _required(change.then, change.now),
                _cases(change.then),
                _cases(change.now),
            )
            for change in comparison.checks
        ),
        tuple(_STYLES[change.movement] for change in comparison.checks),
    )


def _findings(comparison: Comparison) -> TextTable:
    cut = _moved(comparison)[MOST_MOVED:]
    shown = [change for change in comparison.findings if change not in cut and not _by_chance(change)]
    return TextTable(
        "Findings",
        ("finding", "", "outcome", "observed then", "observed now", "change", "limit", "unit"),
        tuple(
            (
                change.finding_id,
                change.movement.value,
                _outcomes(change.then, change.now),
                _observed(change.then),
                _observed(change.now),
                _share(change.then, change.now),
                _limits(change.then, change.now),
                _unit(change.now or change.then),
            )
            for change in shown
        ),
        tuple(_STYLES[change.movement] for change in shown),
    )


def _moved(comparison: Comparison) -> list[FindingChange]:
    """Those of the same outcome whose numbers differ by more than chance would have it."""
    return [
        change
        for change in comparison.findings
        if change.movement is Movement.MOVED and not _by_chance(change)
    ]


def _by_chance(change: FindingChange) -> bool:
    """Whether all that differs are two measured numbers, and the interval of each holds the other."""
    then, now = change.then, change.now
    if change.movement is not Movement.MOVED or then is None or now is None:
        return False
    same = (then.limit, then.unit, then.waiver) == (now.limit, now.unit, now.waiver)
    return same and _holds(then, _number(now)) and _holds(now, _number(then))


def _holds(seen: FindingSeen, value: float | None) -> bool:
    if value is None or seen.lower is None or seen.upper is None:
        return False
    return seen.lower <= value <= seen.upper


def _run(name: str, run: Run) -> tuple[str, ...]:
    partial = " (partial)" if run.partial else ""
    return (
        run.run_id,
        name,
        f"{run.decision.value}{partial}",
        release_name(run.candidate),
        run.candidate.model.version or "",
        seconds(run.duration_s),
    )


def _outcomes(then: CheckSeen | FindingSeen | None, now: CheckSeen | FindingSeen | None) -> str:
    before, after = (_outcome(seen.outcome) if seen else "none" for seen in (then, now))
    return before if before == after else f"{before} → {after}"


def _required(then: CheckSeen | None, now: CheckSeen | None) -> str:
    """What became of its weight, where a policy demands it and the other does not."""
    if then is None or now is None or then.required is now.required:
        return ""
    return ", now required" if now.required else ", no longer required"


def _outcome(outcome: Outcome) -> str:
    return outcome.value.replace("_", " ")


def _cases(seen: CheckSeen | None) -> str:
    return "" if seen is None else f"{seen.executed}/{seen.expected}"


def _observed(seen: FindingSeen | None) -> str:
    """The value and its interval; where there is none, the message."""
    if seen is None:
        return ""
    if seen.observed is None:
        return seen.message
    bounds = "" if seen.lower is seen.upper is None else f" [{_bound(seen.lower)}, {_bound(seen.upper)}]"
    return f"{_brief(seen.observed)}{bounds}"


def _bound(value: float | None) -> str:
    return "?" if value is None else _brief(value)


def _brief(value: Scalar) -> str:
    """Four digits, for a table; how two that look alike differ stands beside them."""
    return f"{value:.4g}" if isinstance(value, float) and math.isfinite(value) else quantity(value)


def _share(then: FindingSeen | None, now: FindingSeen | None) -> str:
    before, after = (_number(seen) for seen in (then, now))
    if not before or after is None:
        return ""
    percent = 100 * (after - before) / abs(before)
    return f"{percent:+.1f} %" if abs(percent) < _MOST_PERCENT else f"{after / before:.3g} times"


def _number(seen: FindingSeen | None) -> float | None:
    value = None if seen is None else seen.observed
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < _LARGEST:
        return None
    return None if math.isnan(value) else float(value)


def _limits(then: FindingSeen | None, now: FindingSeen | None) -> str:
    before, after = (_brief(seen.limit) if seen else "" for seen in (then, now))
    return after if before == after or not before else f"{before} → {after or 'none'}"


def _unit(seen: FindingSeen | None) -> str:
    return seen.unit if seen else ""
