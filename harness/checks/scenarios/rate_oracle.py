"""Tells whether a limiter can have answered as it did, knowing nothing but the declared policy.

A client knows when it sent a request and when the answer was there, not when the limiter decided in between.
The oracle looks for instants of decision that explain all answers, and calls a limiter wrong only where there
can be none. Its conditions are necessary ones: a right limiter is never found wrong, and a wrong one is found
where the intervals are short against the window.

Pure: no clock, no network.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import StrEnum

from harness.checks.scenarios.rate_asked import (
    Asked,
    Contradiction,
    cost_of,
    refused_for_nothing,
    too_much,
)
from harness.checks.scenarios.rate_policy import Algorithm, RatePolicy
from harness.checks.scenarios.rate_windows import (
    Counted,
    aligned,
    fixed_window,
    opened_by_requests,
    sliding_counter,
)


class Answer(StrEnum):
    """What a right limiter may answer."""

    PASSES = "passes"
    REFUSED = "refused"
    EITHER = "either"
    NEITHER = "neither"


def contradictions(policy: RatePolicy, asked: Sequence[Asked]) -> list[Contradiction]:
    """Why the policy can't have given these answers; empty where it can.

    Of the layouts of windows that the policy leaves open, the one that explains most.

    Raises:
        ValueError: for a policy without an algorithm.
    """
    too_dear = [
        Contradiction(f"{each.name} passed and costs {each.cost}", each.cost, policy.capacity)
        for each in asked
        if each.passed and each.cost > policy.capacity
    ]
    if too_dear or not asked:
        return too_dear
    fewest: list[Contradiction] = []
    for found in _explanations(policy, asked):
        if not found:
            return []
        if not fewest or len(found) < len(fewest):
            fewest = found
    return fewest


def answer_to(
    policy: RatePolicy, before: Sequence[Asked], sent_s: float, answered_s: float, cost: int
) -> Answer:
    """What a right limiter answers to one more request, after those before it."""
    passes, refused = (
        not contradictions(policy, [*before, Asked(sent_s, answered_s, passed, cost)])
        for passed in (True, False)
    )
    if passes:
        return Answer.EITHER if refused else Answer.PASSES
    return Answer.REFUSED if refused else Answer.NEITHER


def refusals_were_needed(policy: RatePolicy, asked: Sequence[Asked]) -> bool:
    """Whether it would have been found had all passed; else the answers tell nothing of the limit."""
    return bool(contradictions(policy, [replace(each, passed=True) for each in asked]))


def _explanations(policy: RatePolicy, asked: Sequence[Asked]) -> Iterator[list[Contradiction]]:
    """What contradicts each of the layouts that the policy leaves open."""
    match policy.algorithm:
        case Algorithm.FIXED_WINDOW:
            if policy.opens != "aligned":
                yield list(fixed_window(Counted(policy, opened_by_requests(policy, asked), asked)))
            if policy.opens != "first-request":
                for layout in aligned(policy, asked):
                    yield list(fixed_window(Counted(policy, layout, asked)))
        case Algorithm.SLIDING_WINDOW_COUNTER:
            overfull = list(_overfull_spans(policy, asked))
            for layout in aligned(policy, asked):
                yield [*overfull, *sliding_counter(Counted(policy, layout, asked))]
        case Algorithm.SLIDING_WINDOW_LOG:
            yield [*_overfull_spans(policy, asked), *_log_refusals(policy, asked)]
        case Algorithm.TOKEN_BUCKET | Algorithm.GCRA:
            yield [*_overfull_spans(policy, asked), *_bucket_refusals(policy, asked)]
        case None:
            raise ValueError("the policy declares no algorithm")


def _overfull_spans(policy: RatePolicy, asked: Sequence[Asked]) -> Iterator[Contradiction]:
    """Spans from one sending to one answer in which more surely passed than ever may."""
    latest_first = sorted((each for each in asked if each.passed), key=lambda each: -each.sent_s)
    for end_s in sorted({each.answered_s for each in latest_first}):
        passed = 0
        for each in latest_first:
            if each.answered_s > end_s:
                continue
            passed += each.cost
            span_s = end_s - each.sent_s
            if passed > policy.most_in(span_s):
                yield too_much(passed, policy.most_in(span_s), f"within {span_s:.3f} s")
                return


def _log_refusals(policy: RatePolicy, asked: Sequence[Asked]) -> Iterator[Contradiction]:
    """Refusals for which too little passed in the window before."""
    for each in asked:
        if each.passed or each.cost > policy.limit:
            continue
        since_s = each.sent_s - policy.window_s - policy.tolerance_s
        used = cost_of(
            other
            for other in asked
            if other.passed and other.sent_s <= each.answered_s and other.answered_s > since_s
        )
        if used + each.cost <= policy.limit:
            yield refused_for_nothing(each, used, policy.limit)


def _bucket_refusals(policy: RatePolicy, asked: Sequence[Asked]) -> Iterator[Contradiction]:
    """Refusals for which the bucket surely held enough.

    What it holds is the least, over all earlier instants, of a full bucket then, less what passed since, plus
    what it gained since.
    """
    rate = policy.limit / policy.window_s
    for each in asked:
        if each.passed or each.cost > policy.capacity:
            continue
        held = float(policy.capacity)
        passed = 0
        before = [other for other in asked if other.passed and other.sent_s <= each.answered_s]
        for other in sorted(before, key=lambda other: -other.answered_s):
            passed += other.cost
            gained_s = max(0.0, each.sent_s - other.answered_s - policy.tolerance_s)
            held = min(held, policy.capacity - passed + rate * gained_s)
        if held >= each.cost:
            yield refused_for_nothing(each, policy.capacity - held, policy.capacity)
