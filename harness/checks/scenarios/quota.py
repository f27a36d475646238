"""Holds the answers of a scenario against the quotas that its steps name; pure."""

from collections.abc import Iterator, Sequence

from harness.checks.scenarios.evidence import Exchange, StepRecord
from harness.checks.scenarios.rate_asked import Asked, Contradiction
from harness.checks.scenarios.rate_oracle import contradictions, refusals_were_needed
from harness.checks.scenarios.rate_policy import RatePolicy
from harness.checks.scenarios.rate_promises import Told, broken_promises
from harness.checks.scenarios.rules import Violation, status_in, statuses_text
from harness.checks.scenarios.scenario import Quota

UNIT = "requests"


def quota_violations(steps: Sequence[StepRecord]) -> list[Violation]:
    """What is wrong with the answers of the last step, after those before it of the same quota."""
    step = steps[-1]
    quota, policy = step.expect.quota, step.policy
    if quota is None or policy is None:
        return []
    neither = [
        _neither(policy, quota, exchange, number)
        for number, exchange in enumerate(step.exchanges, start=1)
        if exchange.status != policy.refused and not status_in(exchange.status, quota.passed)
    ]
    if neither:
        return neither
    told = list(_told(quota, steps))
    found = contradictions(policy, [each.asked for each in told])
    return [_violation(policy, each) for each in found or broken_promises(policy, told)]


def says_nothing(steps: Sequence[StepRecord]) -> bool:
    """Whether quotas were named, and without any limit the answers would not have been found wrong."""
    named = {_key(step.expect.quota): step for step in steps if step.expect.quota is not None}
    return bool(named) and not any(
        step.policy is not None
        and step.expect.quota is not None
        and refusals_were_needed(step.policy, [each.asked for each in _told(step.expect.quota, steps)])
        for step in named.values()
    )


def _key(quota: Quota) -> tuple[str, str]:
    return quota.policy, quota.holder


def _told(quota: Quota, steps: Sequence[StepRecord]) -> Iterator[Told]:
    for number, step in enumerate(steps, start=1):
        if step.expect.quota is None or _key(step.expect.quota) != _key(quota) or step.policy is None:
            continue
        for request, exchange in enumerate(step.exchanges, start=1):
            asked = Asked(
                sent_s=exchange.sent_s,
                answered_s=exchange.sent_s + exchange.elapsed_s,
                passed=exchange.status != step.policy.refused,
                cost=step.expect.quota.cost,
                name=f"request {request} of step {number}",
            )
            yield Told(asked, {name.lower(): text for name, text in exchange.headers.items()})


def _neither(policy: RatePolicy, quota: Quota, exchange: Exchange, number: int) -> Violation:
    passed = statuses_text(quota.passed)
    seen = exchange.error if exchange.status is None else exchange.status
    limit = f"{passed} or {policy.refused}"
    return Violation(f"request {number}: {seen} is neither an answer nor a refusal", seen, limit, "status")


def _violation(policy: RatePolicy, found: Contradiction) -> Violation:
    problem = f"{found.message} ({policy.limit} in {policy.window_s:g} s, {policy.algorithm})"
    return Violation(problem, found.observed, found.limit, UNIT)
