"""The oracle of rate limits: never wrong about a right limiter, and it finds the wrong ones."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limiters import FixedWindow, Gcra, OneOfSeveral, SlidingCounter, SlidingLog, TokenBucket
from pydantic import ValidationError

from harness.checks.scenarios.rate_asked import Asked
from harness.checks.scenarios.rate_oracle import Answer, answer_to, contradictions, refusals_were_needed
from harness.checks.scenarios.rate_policy import Algorithm, RatePolicy

LIMIT, WINDOW_S = 5, 10.0
FIRST = RatePolicy(limit=LIMIT, window_s=WINDOW_S, algorithm="fixed-window", opens="first-request")
ALIGNED = RatePolicy(limit=LIMIT, window_s=WINDOW_S, algorithm="fixed-window", opens="aligned")
EITHER = RatePolicy(limit=LIMIT, window_s=WINDOW_S, algorithm="fixed-window", opens="either")
LOG = RatePolicy(limit=LIMIT, window_s=WINDOW_S, algorithm="sliding-window-log")
COUNTER = RatePolicy(limit=LIMIT, window_s=WINDOW_S, algorithm="sliding-window-counter")
BUCKET = RatePolicy(limit=LIMIT, window_s=WINDOW_S, algorithm="token-bucket")
GCRA = RatePolicy(limit=LIMIT, window_s=WINDOW_S, algorithm="gcra", burst=2)
POLICIES = [FIRST, ALIGNED, EITHER, LOG, COUNTER, BUCKET, GCRA]

# When each request is decided, how long before it was sent and how long after answered, and its cost.
STORY = st.lists(
    st.tuples(
        st.floats(0, 40), st.one_of(st.just(0.001), st.floats(0, 12)), st.floats(0, 3), st.integers(1, 7)
    ),
    min_size=1,
    max_size=25,
)


def ask(limiter, story):
    """The answers of a limiter, as a client sees them, in the order of sending."""
    asked = [
        Asked(at_s - before_s, at_s + after_s, limiter.passes(at_s, cost), cost, f"request {number}")
        for number, (at_s, before_s, after_s, cost) in enumerate(sorted(story), start=1)
    ]
    return sorted(asked, key=lambda each: each.sent_s)


def bursts(*groups, took_s=0.01):
    """A story of (instant, number of requests) bursts, one request after the other."""
    return [(at_s + n * took_s, took_s / 4, took_s / 4, 1) for at_s, count in groups for n in range(count)]


def right_limiter(policy, phase_s, *, rounded):
    match policy.algorithm:
        case Algorithm.FIXED_WINDOW:
            return FixedWindow(LIMIT, WINDOW_S, None if policy.opens == "first-request" else phase_s)
        case Algorithm.SLIDING_WINDOW_LOG:
            return SlidingLog(LIMIT, WINDOW_S)
        case Algorithm.SLIDING_WINDOW_COUNTER:
            return SlidingCounter(LIMIT, WINDOW_S, phase_s, rounded=rounded)
        case Algorithm.TOKEN_BUCKET:
            return TokenBucket(LIMIT, WINDOW_S, policy.capacity)
        case _:
            return Gcra(LIMIT, WINDOW_S, policy.capacity)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: f"{policy.algorithm}-{policy.opens}")
@settings(max_examples=60, deadline=None)
@given(STORY, st.floats(0, WINDOW_S), st.booleans())
def test_a_right_limiter_is_never_found_wrong(policy, story, phase_s, rounded):
    assert contradictions(policy, ask(right_limiter(policy, phase_s, rounded=rounded), story)) == []


@settings(max_examples=30, deadline=None)
@given(STORY)
def test_windows_opened_by_the_first_request_are_within_either(story):
    assert contradictions(EITHER, ask(FixedWindow(LIMIT, WINDOW_S), story)) == []


@settings(max_examples=50, deadline=None)
@given(STORY, st.integers(1, 4))
def test_gcra_and_the_token_bucket_are_one_limiter(story, burst):
    policy = GCRA.model_copy(update={"burst": burst})
    assert contradictions(policy, ask(TokenBucket(LIMIT, WINDOW_S, burst), story)) == []


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: f"{policy.algorithm}-{policy.opens}")
@settings(max_examples=25, deadline=None)
@given(STORY, st.floats(0, WINDOW_S), st.tuples(st.floats(0, 40), st.floats(0, 5), st.integers(1, 7)))
def test_what_a_right_limiter_answers_next_is_allowed(policy, story, phase_s, last):
    limiter = right_limiter(policy, phase_s, rounded=True)
    after_s, took_s, cost = last
    before = ask(limiter, story)
    at_s = max(each[0] for each in story) + after_s
    passed = limiter.passes(at_s, cost)
    answer = answer_to(policy, before, at_s - took_s, at_s + took_s, cost)
    assert answer in {Answer.EITHER, Answer.PASSES if passed else Answer.REFUSED}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(POLICIES), STORY, st.floats(0, WINDOW_S), st.floats(0, 30), st.floats(0, 30))
def test_no_span_ever_holds_more_than_it_says(policy, story, phase_s, from_s, span_s):
    asked = ask(right_limiter(policy, phase_s, rounded=True), [(at, 0, 0, cost) for at, _, _, cost in story])
    held = sum(e.cost for e in asked if e.passed and from_s <= e.sent_s <= from_s + span_s)
    assert held <= policy.most_in(span_s)


@pytest.mark.parametrize(
    ("policy", "span_s", "most"),
    [
        (FIRST, 0.0, 10),  # the tolerance lets an instant have two windows
        (ALIGNED, 9.0, 10),
        (ALIGNED, 10.0, 15),
        (LOG, 9.0, 5),
        (LOG, 9.96, 10),
        (COUNTER, 5.0, 8),
        (BUCKET, 0.0, 5),
        (BUCKET, 10.0, 10),
        (GCRA, 4.0, 4),
    ],
)
def test_the_most_that_may_pass_in_a_span(policy, span_s, most):
    assert policy.most_in(span_s) == most


WRONG = {
    "one too many in a window": (FIRST, lambda: FixedWindow(6, WINDOW_S), bursts((0, 12))),
    "one too few in a window": (FIRST, lambda: FixedWindow(4, WINDOW_S), bursts((0, 12))),
    "a window that ends early": (FIRST, lambda: FixedWindow(5, WINDOW_S, resets_s=8), bursts((0, 8), (9, 8))),
    "a window that ends late": (
        FIRST,
        lambda: FixedWindow(5, WINDOW_S, resets_s=12),
        bursts((0, 8), (11, 8)),
    ),
    "aligned, one too many": (ALIGNED, lambda: FixedWindow(6, WINDOW_S, 3), bursts((0, 8), (4, 8), (14, 8))),
    "aligned, ends early": (
        ALIGNED,
        lambda: FixedWindow(5, WINDOW_S, 3, resets_s=8),
        bursts(*((n * 2, 7) for n in range(30))),
    ),
    "aligned, opened by requests": (
        ALIGNED,
        lambda: FixedWindow(5, WINDOW_S),
        bursts((0, 6), (9, 1), (10.2, 6), (20.1, 1), (20.3, 6), (30.2, 1), (30.4, 6), (40.3, 1), (40.5, 6)),
    ),
    "either, one too many": (EITHER, lambda: FixedWindow(11, WINDOW_S), bursts((0, 15))),
    "a fixed window instead of a log": (
        LOG,
        lambda: FixedWindow(5, WINDOW_S),
        bursts((0, 1), (9.5, 4), (10.1, 8)),
    ),
    "a log instead of a fixed window": (
        FIRST,
        lambda: SlidingLog(5, WINDOW_S),
        bursts((0, 1), (9.5, 4), (10.1, 8)),
    ),
    "a log of one too few": (LOG, lambda: SlidingLog(4, WINDOW_S), bursts((0, 8))),
    "two workers count for themselves": (
        FIRST,
        lambda: OneOfSeveral(FixedWindow(5, WINDOW_S), FixedWindow(5, WINDOW_S)),
        bursts((0, 20)),
    ),
    "a fixed window instead of a counter": (
        COUNTER,
        lambda: FixedWindow(5, WINDOW_S, 0),
        bursts((1, 1), (9.9, 6), (10.2, 6)),
    ),
    "a counter of one too few": (COUNTER, lambda: SlidingCounter(4, WINDOW_S, 0), bursts((1, 8))),
    "a counter of two too many": (
        COUNTER,
        lambda: SlidingCounter(7, WINDOW_S, 0),
        bursts((1, 8), (2, 3), (12, 4)),
    ),
    "a log instead of a bucket": (BUCKET, lambda: SlidingLog(5, WINDOW_S), bursts((0, 6), (5, 3))),
    "a bucket with one too many": (BUCKET, lambda: TokenBucket(5, WINDOW_S, 6), bursts((0, 8))),
    "a bucket that fills too fast": (BUCKET, lambda: TokenBucket(6, WINDOW_S, 5), bursts((0, 8), (9, 8))),
    "a bucket that fills too slowly": (BUCKET, lambda: TokenBucket(4, WINDOW_S, 5), bursts((0, 8), (9, 8))),
    "a burst too long for gcra": (GCRA, lambda: Gcra(5, WINDOW_S, 3), bursts((0, 4))),
    "a burst too short for gcra": (GCRA, lambda: Gcra(5, WINDOW_S, 1), bursts((0, 4))),
}


@pytest.mark.parametrize(("policy", "limiter", "story"), WRONG.values(), ids=WRONG)
def test_a_wrong_limiter_is_found(policy, limiter, story):
    assert contradictions(policy, ask(limiter(), story))


def concurrent(passed, refused, *, took_s=2.0):
    """So many at once, whose intervals all overlap."""
    return [Asked(0.0, took_s, number < passed, 1, f"request {number}") for number in range(passed + refused)]


@pytest.mark.parametrize("policy", [FIRST, LOG, COUNTER, BUCKET], ids=lambda policy: policy.algorithm)
def test_more_than_the_limit_at_once_is_found_though_no_order_is_known(policy):
    most = policy.most_in(2.0) if policy is not COUNTER else 10
    assert contradictions(policy, concurrent(LIMIT, 5)) == []
    assert contradictions(policy, concurrent(most + 1, 5))


def test_requests_that_straddle_a_boundary_may_count_on_either_side_but_not_on_a_third():
    assert contradictions(ALIGNED, concurrent(10, 5)) == []
    assert [c.observed for c in contradictions(ALIGNED, concurrent(11, 5))] == [11]


def test_a_refusal_before_the_limit_was_used_is_found_in_any_order():
    asked = [Asked(n, n + 0.1, n != 2, 1, f"request {n}") for n in range(6)]
    (found,) = contradictions(FIRST, asked)
    assert (found.observed, found.limit) == (2, LIMIT)
    assert found.message == "request 2 was refused: it costs 1, and of 5 at most 2 were used"


def test_a_batch_is_refused_only_if_it_does_not_fit():
    three = [Asked(n, n + 0.1, passed=True) for n in range(3)]
    assert answer_to(FIRST, three, 3, 3.1, 2) is Answer.PASSES
    assert answer_to(FIRST, three, 3, 3.1, 3) is Answer.REFUSED
    assert answer_to(FIRST, three, 3, 3.1, 6) is Answer.REFUSED
    assert answer_to(FIRST, three, 9, 11, 3) is Answer.EITHER
    assert answer_to(FIRST, [*three, Asked(4, 4.1, passed=True, cost=9)], 5, 5.1, 1) is Answer.NEITHER


def test_what_costs_more_than_a_bucket_holds_never_passes():
    (found,) = contradictions(GCRA, [Asked(0, 1, passed=True, cost=3, name="the batch")])
    assert (found.observed, found.limit, found.message) == (3, 2, "the batch passed and costs 3")
    assert contradictions(GCRA, [Asked(0, 1, passed=False, cost=3)]) == []


def test_refusals_tell_something_only_if_it_would_have_been_too_much_without_them():
    assert refusals_were_needed(FIRST, concurrent(5, 1))
    assert not refusals_were_needed(FIRST, concurrent(5, 0))
    # Two aligned windows may meet there, and hold twice the limit.
    assert not refusals_were_needed(ALIGNED, concurrent(5, 5))
    assert refusals_were_needed(ALIGNED, concurrent(5, 6))
    # So slow that the windows may have changed in between.
    assert not refusals_were_needed(FIRST, concurrent(5, 5, took_s=30))


def test_nothing_asked_contradicts_nothing():
    assert contradictions(ALIGNED, []) == []


def test_a_policy_without_an_algorithm_has_no_oracle():
    with pytest.raises(ValueError, match=r"^the policy declares no algorithm$"):
        contradictions(RatePolicy(limit=1, window_s=1), concurrent(1, 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"algorithm": "fixed-window"}, "needs opens"),
        ({"algorithm": "gcra", "opens": "aligned"}, "no other takes it"),
        ({"algorithm": "sliding-window-log", "burst": 3}, "burst is for"),
        ({"tolerance_s": 3.0}, "quarter of window_s"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(change, message):
    with pytest.raises(ValidationError, match=message):
        RatePolicy(limit=5, window_s=10.0, **change)
