"""One finding for each scenario; pure."""

from dataclasses import dataclass

from harness.checks.interface import EVIDENCE_FILE
from harness.checks.scenarios.evidence import ScenarioRecord, ScenariosEvidence, StepRecord
from harness.checks.scenarios.quota import quota_violations, says_nothing
from harness.checks.scenarios.rules import (
    Violation,
    answer_violations,
    connection_violations,
    count_text,
    count_violations,
    countdown_violations,
    counted,
    rise_violations,
    statuses_limit,
    statuses_text,
)
from harness.checks.scenarios.scenario import SECRETS
from harness.model import Capability, Finding, Outcome, Scalar

MOST_SHOWN = 3
SERVER_ERROR = 500


@dataclass(frozen=True)
class _Seen:
    """What a step that went as expected showed."""

    observed: Scalar
    limit: Scalar
    unit: str


def judge_scenario(scenario: ScenarioRecord, check_id: str) -> Finding:
    """The finding ``<check id>.<scenario id>``; the first step that is not as expected decides it."""
    if not scenario.steps:
        return Finding(
            id=f"{check_id}.{scenario.id}",
            outcome=Outcome.INCONCLUSIVE if scenario.applicable else Outcome.NOT_APPLICABLE,
            message=f"{scenario.title}: {scenario.unplayable}",
            missing=None if scenario.applicable else Capability.CONTAINER,
        )
    deciding = len(scenario.steps)
    violations: list[Violation] = []
    for number, step in enumerate(scenario.steps, start=1):
        violations = step_violations(step) or quota_violations(scenario.steps[:number])
        if violations:
            deciding = number
            break
    late = not violations and scenario.late_connections > 0
    if late:
        violations = connection_violations(scenario.late_connections)
    steps = scenario.steps[:deciding]
    seen: Violation | _Seen = violations[0] if violations else _as_expected(steps[-1])
    outcome = Outcome.INCONCLUSIVE if says_nothing(steps) else Outcome.PASS
    if violations:
        outcome = Outcome.INCONCLUSIVE if not late and _too_late(steps[-1]) else Outcome.FAIL
    return Finding(
        id=f"{check_id}.{scenario.id}",
        outcome=outcome,
        message=_message(scenario, deciding, violations, outcome),
        observed=seen.observed,
        limit=seen.limit,
        unit=seen.unit,
        samples=sum(len(step.exchanges) for step in steps),
        evidence=f"{check_id}/{EVIDENCE_FILE}",
        reproduce="; ".join(_commands(steps)),
    )


def step_violations(step: StepRecord) -> list[Violation]:
    """All that is not as expected in one step, the most telling first."""
    if step.not_sent:
        return [Violation(f"not sent: {step.not_sent}", step.not_sent, "Retry-After in whole seconds", "")]
    several = len(step.exchanges) > 1
    found: list[Violation] = []
    for number, exchange in enumerate(step.exchanges, start=1):
        found += answer_violations(step.expect, exchange, f"request {number}: " if several else "")
    for count in step.expect.counts:
        found += count_violations(count, step.exchanges)
    if step.expect.counts_down is not None:
        found += countdown_violations(step.expect.counts_down, step.exchanges)
    if step.expect.no_connection:
        found += connection_violations(step.connections)
    for rise in step.rises:
        found += rise_violations(rise)
    return found


def judge_secrets(evidence: ScenariosEvidence, check_id: str) -> list[Finding]:
    """The finding ``<check id>.secrets``; none where there was nothing to look through."""
    if not evidence.searched and not evidence.unread:
        return []
    doubts = [f"{place} is too long to be kept: its beginning may be lost" for place in evidence.cut]
    doubts += [f"{place} could not be read" for place in evidence.unread]
    searched = ", ".join(evidence.searched) or "what could be searched"
    outcome = Outcome.INCONCLUSIVE if doubts else Outcome.PASS
    message = "; ".join([f"no key or token of this run stands in {searched}", *doubts])
    if evidence.leaked:
        outcome, where = Outcome.FAIL, ", ".join(evidence.leaked)
        message = f"a key or token of this run stands in {where}"
    return [
        Finding(
            id=f"{check_id}.{SECRETS}",
            outcome=outcome,
            message=message,
            observed=len(evidence.leaked),
            limit=0,
            unit="places with secrets",
            samples=len(evidence.searched),
            evidence=f"{check_id}/{EVIDENCE_FILE}",
        )
    ]


def _too_late(step: StepRecord) -> bool:
    """Whether the answers came too late to tell; a server error or no answer is a failure at any time."""
    if step.within_s is None or step.not_sent:
        return False
    sound = all(exchange.status is not None and exchange.status < SERVER_ERROR for exchange in step.exchanges)
    return sound and max(exchange.sent_s + exchange.elapsed_s for exchange in step.exchanges) > step.within_s


def _as_expected(step: StepRecord) -> _Seen:
    expect = step.expect
    if expect.no_answer and step.exchanges[-1].status is None:
        return _Seen("no answer", "a closed connection", "status")
    if expect.status is not None:
        return _Seen(step.exchanges[-1].status, statuses_limit(expect.status), "status")
    if not expect.counts:
        refused = sum(step.policy is not None and e.status == step.policy.refused for e in step.exchanges)
        return _Seen(refused, len(step.exchanges), "requests refused")
    count = expect.counts[0]
    unit = f"answers {statuses_text(count.status)}"
    return _Seen(counted(count, step.exchanges), count_text(count), unit)


def _message(scenario: ScenarioRecord, number: int, violations: list[Violation], outcome: Outcome) -> str:
    if not violations and outcome is Outcome.INCONCLUSIVE:
        return f"{scenario.title}: not told, as all might have passed; too few were asked, or too slowly."
    if not violations:
        return f"{scenario.title}."
    step = scenario.steps[number - 1]
    problems = [violation.problem for violation in violations[:MOST_SHOWN]]
    if len(violations) > MOST_SHOWN:
        problems.append(f"{len(violations) - MOST_SHOWN} more")
    where = f"step {number} of {len(scenario.steps)}, " if len(scenario.steps) > 1 else ""
    text = f"{scenario.title}: not so in {where}{step.request}: {'; '.join(problems)}"
    if outcome is Outcome.INCONCLUSIVE:
        text += f"; answered later than {step.within_s:g} s after the first request, which tells nothing"
    return f"{text}."


def _commands(steps: tuple[StepRecord, ...]) -> list[str]:
    """Nothing where a step cannot be sent by hand: the runner then gives the command of the whole check."""
    if not all(step.reproduce for step in steps):
        return []
    commands: list[str] = []
    for step in steps:
        if step.waited_s > 0:
            commands.append(f"sleep {step.waited_s:.1f}")
        commands.append(step.reproduce)
    return commands
