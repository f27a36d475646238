"""Headers about a quota: those of a right limiter are never found wrong, and wrong ones are found."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limiters import FixedWindow, SlidingLog, TokenBucket

from harness.checks.scenarios.rate_asked import Asked
from harness.checks.scenarios.rate_policy import RatePolicy
from harness.checks.scenarios.rate_promises import Told, broken_promises, whole_after_s

LIMIT, WINDOW_S = 5, 10.0
HEADERS = {"limit_header": "X-Limit", "remaining_header": "X-Left", "reset_header": "X-Reset"}
QUOTA = {"limit": LIMIT, "window_s": WINDOW_S, **HEADERS}
FIRST = RatePolicy(**QUOTA, algorithm="fixed-window", opens="first-request")
ALIGNED = RatePolicy(**QUOTA, algorithm="fixed-window", opens="aligned")
LOG = RatePolicy(**QUOTA, algorithm="sliding-window-log")
BUCKET = RatePolicy(**QUOTA, algorithm="token-bucket", burst=3)
RIGHT = {
    "fixed window": (FIRST, lambda: FixedWindow(LIMIT, WINDOW_S)),
    "log": (LOG, lambda: SlidingLog(LIMIT, WINDOW_S)),
    "bucket": (BUCKET, lambda: TokenBucket(LIMIT, WINDOW_S, 3)),
}
STORY = st.lists(
    st.tuples(st.floats(0, 40), st.floats(0, 2), st.floats(0, 2), st.integers(1, 3)), min_size=1, max_size=15
)


def told(limiter, story):
    """What a limiter answers and says."""
    answers = []
    for number, (at_s, before_s, after_s, cost) in enumerate(sorted(story), start=1):
        asked = Asked(at_s - before_s, at_s + after_s, limiter.passes(at_s, cost), cost, f"request {number}")
        headers = {
            "x-limit": str(LIMIT),
            "x-left": str(limiter.left(at_s)),
            "x-reset": str(limiter.whole_s(at_s, cost)),
        }
        if not asked.passed:
            headers["retry-after"] = str(limiter.wait_s(at_s, cost))
        answers.append(Told(asked, headers))
    return answers


def one_by_one(*instants_s):
    return [(at_s, 0.005, 0.005, 1) for at_s in instants_s]


def changed(answers, number, **headers):
    """One of the answers with other headers; None leaves one out."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    before = {name: text for name, text in answers[number].headers.items() if name not in named}
    headers = before | {name: text for name, text in named.items() if text is not None}
    return [*answers[:number], Told(answers[number].asked, headers), *answers[number + 1 :]]


@pytest.mark.parametrize(("policy", "limiter"), RIGHT.values(), ids=RIGHT)
@settings(max_examples=60, deadline=None)
@given(STORY)
def test_a_right_limiter_keeps_what_it_says(policy, limiter, story):
    assert broken_promises(policy, told(limiter(), story)) == []


SIX = one_by_one(0, 1, 2, 3, 4, 5)
WRONG = {
    "another limit": (FIRST, SIX, 1, {"x_limit": "6"}, "X-Limit is 6 of a quota of 5"),
    "no limit": (FIRST, SIX, 1, {"x_limit": None}, "X-Limit is 'absent', no whole number"),
    "no number": (FIRST, SIX, 1, {"x_left": "many"}, "X-Left is 'many', no whole number"),
    "one too many left": (FIRST, SIX, 1, {"x_left": "4"}, "X-Left is 4, and fewer were left"),
    "one too few left": (FIRST, SIX, 1, {"x_left": "2"}, "X-Left is 2, and more were left"),
    "some left at a refusal": (FIRST, SIX, 5, {"x_left": "1"}, "X-Left is 1, and fewer were left"),
    "too early": (FIRST, SIX, 5, {"retry_after": "4"}, "Retry-After is 4, and then what"),
    "at once": (FIRST, SIX, 5, {"retry_after": "0"}, "Retry-After is 0, and then what"),
    "too late": (FIRST, SIX, 5, {"retry_after": "12"}, "Retry-After is 12, and after 11 s the whole"),
    "reset too early": (FIRST, SIX, 2, {"x_reset": "7"}, "X-Reset is 7, and then what"),
    "reset too late": (FIRST, SIX, 2, {"x_reset": "12"}, "X-Reset is 12, and after 11 s the whole"),
    "a log that says what a fixed window would": (LOG, SIX, 3, {"x_reset": "7"}, "X-Reset is 7, and then"),
    "a bucket fills later": (
        BUCKET,
        one_by_one(0, 0.1, 0.2, 0.3),
        3,
        {"retry_after": "1"},
        "Retry-After is 1",
    ),
}


@pytest.mark.parametrize(("policy", "story", "number", "headers", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_header_is_found(policy, story, number, headers, message):
    limiter = {FIRST: FixedWindow, ALIGNED: FixedWindow, LOG: SlidingLog}.get(policy)
    answers = told(limiter(LIMIT, WINDOW_S) if limiter else TokenBucket(LIMIT, WINDOW_S, 3), story)
    (found,) = broken_promises(policy, changed(answers, number, **headers))
    assert found.message.startswith(f"request {number + 1}: {message}")
    seen = [int(text) for text in headers.values() if text and text.isdecimal()]
    assert found.observed == (seen[0] if seen else 0)
    assert found.limit in ({whole_after_s(policy)} if {"retry_after", "x_reset"} & set(headers) else {LIMIT})


def test_what_was_under_way_at_the_same_time_is_not_held_against_a_header():
    answers = told(FixedWindow(LIMIT, WINDOW_S), [(0, 0, 1, 1), (0.5, 0.5, 1, 1)])
    assert broken_promises(FIRST, changed(answers, 1, x_left="4")) == []


def test_a_limit_of_nothing_is_a_wrong_limit():
    (found,) = broken_promises(FIRST, changed(told(FixedWindow(LIMIT, WINDOW_S), SIX), 0, x_limit="0"))
    assert (found.observed, found.limit) == (0, LIMIT)


def test_what_costs_the_whole_limit_is_told_when():
    asked = [Asked(0, 0.1, passed=True), Asked(1, 1.1, passed=False, cost=LIMIT, name="it")]
    headers = {"x-limit": "5", "x-left": "4", "x-reset": "10"}
    (found,) = broken_promises(
        FIRST, [Told(asked[0], headers), Told(asked[1], headers | {"retry-after": "1"})]
    )
    assert found.message == "it: Retry-After is 1, and then what it is for is still refused"


def test_what_never_fits_is_not_told_when():
    asked = Asked(0, 0.1, passed=False, cost=9)
    headers = {"x-limit": "5", "x-left": "5", "x-reset": "0"}
    assert broken_promises(FIRST, [Told(asked, headers)]) == []
    assert broken_promises(FIRST, [Told(asked, headers | {"retry-after": "99"})]) == []


@pytest.mark.parametrize(("policy", "seconds"), [(FIRST, 11), (LOG, 11), (BUCKET, 7)])
def test_when_the_whole_quota_is_there_again(policy, seconds):
    assert whole_after_s(policy) == seconds


def test_a_counter_weighs_two_windows():
    policy = RatePolicy(limit=5, window_s=2.4, algorithm="sliding-window-counter")
    assert whole_after_s(policy) == 5
