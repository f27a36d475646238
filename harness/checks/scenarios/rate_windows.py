"""Limiters that count in windows whose starts the client knows only within bounds.

A layout gives for each window the earliest and the latest start. From it follows which requests are surely
in a window and which may be. What is surely there must not be too much; a refusal needs that what may have
been there left no room. Both are necessary whatever the instants were, so a right limiter is never found
wrong.
"""

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

from harness.checks.scenarios.rate_asked import (
    Asked,
    Contradiction,
    cost_of,
    refused_for_nothing,
    too_much,
)
from harness.checks.scenarios.rate_policy import RatePolicy

GRID = 64
"""Into how many phases, at least, a window is cut: the finer, the less is left open."""


@dataclass(frozen=True)
class Window:
    """One window: when it starts and ends, at the earliest and at the latest, in seconds."""

    starts_s: tuple[float, float]
    ends_s: tuple[float, float]

    def may_hold(self, asked: Asked) -> bool:
        """Whether the request may have been decided in it."""
        return asked.answered_s >= self.starts_s[0] and asked.sent_s < self.ends_s[1]


def window(policy: RatePolicy, earliest_s: float, latest_s: float) -> Window:
    """The window that starts within these bounds."""
    return Window(
        starts_s=(earliest_s, latest_s),
        ends_s=(
            earliest_s + policy.window_s - policy.tolerance_s,
            latest_s + policy.window_s + policy.tolerance_s,
        ),
    )


def opened_by_requests(policy: RatePolicy, asked: Sequence[Asked]) -> tuple[Window, ...]:
    """The layout where a window starts with the first request that no window holds.

    One that costs more than the limit takes nothing, and may open a window or not.
    """
    layout: list[Window] = []
    ended_s = (-math.inf, -math.inf)
    while later := [each for each in asked if each.answered_s >= ended_s[0]]:
        surely = [e.answered_s for e in later if e.sent_s >= ended_s[1] and e.cost <= policy.limit]
        earliest_s = max(ended_s[0], min(each.sent_s for each in later))
        latest_s = min(surely) if surely else max(each.answered_s for each in later)
        layout.append(window(policy, earliest_s, latest_s))
        ended_s = layout[-1].ends_s
    return tuple(layout)


def aligned(policy: RatePolicy, asked: Sequence[Asked]) -> Iterator[tuple[Window, ...]]:
    """Every layout of windows without gaps: all phases, in steps in which no request changes its window.

    The first window ends before the first request, so that it surely holds none.
    """
    length_s = policy.window_s
    first_s = min(each.sent_s for each in asked)
    last_s = max(each.answered_s for each in asked)
    turns = {(at_s - first_s) % length_s for each in asked for at_s in (each.sent_s, each.answered_s)}
    phases_s = [*sorted(turns | {length_s * step / GRID for step in range(GRID)}), length_s]
    count = math.ceil((last_s - first_s) / length_s) + 3
    for earliest_s, latest_s in pairwise(phases_s):
        origin_s = first_s - 2 * length_s
        yield tuple(
            window(policy, origin_s + earliest_s + n * length_s, origin_s + latest_s + n * length_s)
            for n in range(count)
        )


@dataclass(frozen=True)
class Counted:
    """Requests as one layout counts them."""

    policy: RatePolicy
    layout: tuple[Window, ...]
    asked: Sequence[Asked]

    @cached_property
    def passed(self) -> list[Asked]:
        """What passed, in the order of sending."""
        return sorted((each for each in self.asked if each.passed), key=lambda each: each.sent_s)

    def surely_in(self, first: int, last: int) -> list[Asked]:
        """What surely passed in windows ``first`` to ``last``, both included."""
        after_s = self.layout[first - 1].ends_s[1] if first else -math.inf
        before_s = self.layout[last].ends_s[0]
        return [each for each in self.passed if each.sent_s >= after_s and each.answered_s < before_s]

    @cached_property
    def may_be_in(self) -> list[tuple[list[float], list[int]]]:
        """For each window, of what may have passed in it: when it was sent, and the sum of costs up to it."""
        held = [[each for each in self.passed if window.may_hold(each)] for window in self.layout]
        return [([e.sent_s for e in each], [0, *accumulate(e.cost for e in each)]) for each in held]

    def most_used(self, number: int, before_s: float) -> int:
        """The most that may have passed in a window by an instant."""
        sent_s, sums = self.may_be_in[number]
        return sums[bisect_right(sent_s, before_s)]

    def overfull(self) -> Iterator[Contradiction]:
        """Windows that together surely let too much through."""
        for first in range(len(self.layout)):
            for last in range(first, len(self.layout)):
                passed = cost_of(self.surely_in(first, last))
                count = last - first + 1
                if passed > self.policy.limit * count:
                    what = "in one window" if count == 1 else f"in {count} windows"
                    yield too_much(passed, self.policy.limit * count, what)


def fixed_window(counted: Counted) -> Iterator[Contradiction]:
    """What a fixed window can't have answered."""
    yield from counted.overfull()
    limit = counted.policy.limit
    for each in counted.asked:
        if each.passed or each.cost > limit:
            continue
        used = max(
            (
                counted.most_used(number, each.answered_s)
                for number, window in enumerate(counted.layout)
                if window.may_hold(each)
            ),
            default=0,
        )
        if used + each.cost <= limit:
            yield refused_for_nothing(each, used, limit)


def sliding_counter(counted: Counted) -> Iterator[Contradiction]:
    """What a sliding window counter can't have answered; its first window holds nothing."""
    yield from counted.overfull()
    limit = counted.policy.limit
    for number in range(1, len(counted.layout)):
        before = cost_of(counted.surely_in(number - 1, number - 1))
        here = counted.surely_in(number, number)
        for each in here:
            weighed = math.floor(before * _share(counted, number, each.answered_s)[0])
            used = weighed + cost_of(other for other in here if other.answered_s <= each.answered_s)
            if used > limit:
                yield too_much(used, limit, "as two windows weigh")
    for each in counted.asked:
        if each.passed or each.cost > limit:
            continue
        used_most = max(
            _most_weighed(counted, number, each)
            for number, window in enumerate(counted.layout)
            if number and window.may_hold(each)
        )
        if used_most + each.cost <= limit:
            yield refused_for_nothing(each, used_most, limit)


def _most_weighed(counted: Counted, number: int, refused: Asked) -> float:
    """The most that may have been used when a request was refused in a window."""
    here, before = counted.layout[number], counted.layout[number - 1]
    share = _share(counted, number, refused.sent_s)[1]
    earlier = [each for each in counted.passed if each.sent_s <= refused.answered_s]
    return sum(
        each.cost * (1 if here.may_hold(each) else share)
        for each in earlier
        if here.may_hold(each) or before.may_hold(each)
    )


def _share(counted: Counted, number: int, at_s: float) -> tuple[float, float]:
    """How much of the window before still counts at an instant, at least and at most."""
    earliest_s, latest_s = counted.layout[number].starts_s
    policy = counted.policy
    least = 1 - (at_s - earliest_s + policy.tolerance_s) / policy.window_s
    most = 1 - (at_s - latest_s - policy.tolerance_s) / policy.window_s
    return max(0.0, min(1.0, least)), max(0.0, min(1.0, most))
