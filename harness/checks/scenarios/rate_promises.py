"""What a service says of a quota in its headers, held against what the quota then has to do.

Only where no request that passed was under way at the same time: else nobody but the service knows which of
them it had counted. Pure, and right about every right limiter, as the oracle is.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.checks.scenarios.rate_asked import Asked, Contradiction
from harness.checks.scenarios.rate_oracle import contradictions
from harness.checks.scenarios.rate_policy import Algorithm, RatePolicy
from harness.errors import shown

RETRY_AFTER = "Retry-After"
WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Told:
    """One request and what its answer said.

    Attributes:
        headers: Lower-case names.
    """

    asked: Asked
    headers: Mapping[str, str]

    def number(self, header: str) -> int | None:
        """A header's whole number; None where it has none."""
        text = self.headers.get(header.lower(), "")
        return int(text) if WHOLE_NUMBER.fullmatch(text) else None

    def overlaps(self, other: Asked) -> bool:
        """Whether both may have been decided in either order."""
        return other.sent_s <= self.asked.answered_s and self.asked.sent_s <= other.answered_s


def broken_promises(policy: RatePolicy, told: Sequence[Told]) -> list[Contradiction]:
    """What headers said and the declared policy can't keep, in the order of ``told``."""
    return [broken for each in told for broken in _broken(policy, each, told)]


def whole_after_s(policy: RatePolicy) -> int:
    """After how many seconds without a request the whole quota is there again, rounded up."""
    match policy.algorithm:
        case Algorithm.TOKEN_BUCKET | Algorithm.GCRA:
            windows = policy.capacity / policy.limit
        case Algorithm.SLIDING_WINDOW_COUNTER:
            windows = 2.0
        case _:
            windows = 1.0
    return math.ceil(policy.window_s * windows + policy.tolerance_s)


def _broken(policy: RatePolicy, each: Told, told: Sequence[Told]) -> Iterator[Contradiction]:
    declared = (policy.limit_header, policy.remaining_header, policy.reset_header)
    for header in filter(None, declared):
        if each.number(header) is None:
            said = shown(each.headers.get(header.lower(), "absent"))
            yield Contradiction(f"{each.asked.name}: {header} is {said}, no whole number", 0, policy.limit)
    limit = each.number(policy.limit_header or "")
    if limit not in {None, policy.limit}:
        message = f"{each.asked.name}: {policy.limit_header} is {limit} of a quota of {policy.limit}"
        yield Contradiction(message, limit or 0, policy.limit)
    others = [other.asked for other in told if other is not each and other.asked.passed]
    if any(each.overlaps(other) for other in others):
        return
    before = [other for other in others if other.answered_s <= each.asked.sent_s]
    if each.asked.passed:
        before.append(each.asked)
    yield from _broken_remaining(policy, each, before)
    yield from _broken_reset(policy, each, before)
    if not each.asked.passed and each.asked.cost <= policy.capacity:
        yield from _broken_wait(policy, each, before, RETRY_AFTER, each.asked.cost)


def _broken_remaining(policy: RatePolicy, each: Told, before: Sequence[Asked]) -> Iterator[Contradiction]:
    """As many as are left would pass at once, and one more would not."""
    left = each.number(policy.remaining_header or "")
    if left is None:
        return
    when = (each.asked.sent_s, each.asked.answered_s)
    says = f"{each.asked.name}: {policy.remaining_header} is {left}"
    if left and contradictions(policy, [*before, Asked(*when, passed=True, cost=left)]):
        yield Contradiction(f"{says}, and fewer were left", left, policy.limit)
    elif contradictions(policy, [*before, Asked(*when, passed=False, cost=left + 1)]):
        yield Contradiction(f"{says}, and more were left", left, policy.limit)


def _broken_reset(policy: RatePolicy, each: Told, before: Sequence[Asked]) -> Iterator[Contradiction]:
    """After the reset the whole quota is there."""
    if policy.reset_header:
        yield from _broken_wait(policy, each, before, policy.reset_header, policy.capacity)


def _broken_wait(
    policy: RatePolicy, each: Told, before: Sequence[Asked], header: str, cost: int
) -> Iterator[Contradiction]:
    """After as many seconds as the header says, so much passes; and it says no more than can be needed."""
    wait_s = each.number(header)
    if wait_s is None:
        return
    says = f"{each.asked.name}: {header} is {wait_s}"
    most_s = whole_after_s(policy)
    then_s = each.asked.answered_s + wait_s
    if wait_s > most_s:
        yield Contradiction(f"{says}, and after {most_s} s the whole quota is there", wait_s, most_s)
    elif contradictions(policy, [*before, Asked(then_s, then_s, passed=True, cost=cost)]):
        yield Contradiction(f"{says}, and then what it is for is still refused", wait_s, most_s)
