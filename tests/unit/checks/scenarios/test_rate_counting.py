"""What the oracle counts, number by number, where it is known when a window starts."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limiters import FixedWindow, SlidingCounter, SlidingLog, TokenBucket

from harness.checks.scenarios.rate_asked import Asked
from harness.checks.scenarios.rate_oracle import contradictions
from harness.checks.scenarios.rate_policy import RatePolicy
from harness.checks.scenarios.rate_windows import (
    Counted,
    aligned,
    fixed_window,
    opened_by_requests,
    sliding_counter,
    window,
)

LIMIT, WINDOW_S = 5, 10.0
QUOTA = {"limit": LIMIT, "window_s": WINDOW_S}
FIRST = RatePolicy(**QUOTA, algorithm="fixed-window", opens="first-request")
ALIGNED = RatePolicy(**QUOTA, algorithm="fixed-window", opens="aligned")
LOG = RatePolicy(**QUOTA, algorithm="sliding-window-log")
COUNTER = RatePolicy(**QUOTA, algorithm="sliding-window-counter")
BUCKET = RatePolicy(**QUOTA, algorithm="token-bucket")
GRAIN_S = 0.04
"""Of a clock whose windows are that much shorter or longer, within the tolerance."""


def passed(*instants_s, cost=1):
    return [Asked(at_s, at_s, passed=True, cost=cost) for at_s in instants_s]


def refused(at_s, cost=1):
    return Asked(at_s, at_s, passed=False, cost=cost, name="it")


def told(found):
    return [(each.observed, each.limit) for each in found]


QUICK = st.lists(st.tuples(st.floats(0, 40), st.integers(1, 6)), min_size=1, max_size=40)
RIGHT = {
    "first request": (FIRST, lambda _phase_s: FixedWindow(LIMIT, WINDOW_S)),
    "aligned": (ALIGNED, lambda phase_s: FixedWindow(LIMIT, WINDOW_S, phase_s)),
    "log": (LOG, lambda _phase_s: SlidingLog(LIMIT, WINDOW_S)),
    "counter": (COUNTER, lambda phase_s: SlidingCounter(LIMIT, WINDOW_S, phase_s)),
    "bucket": (BUCKET, lambda _phase_s: TokenBucket(LIMIT, WINDOW_S, LIMIT)),
}


@pytest.mark.parametrize(("policy", "limiter"), RIGHT.values(), ids=RIGHT)
@settings(max_examples=80, deadline=None)
@given(QUICK, st.floats(0, WINDOW_S))
def test_a_coarse_clock_and_a_quick_client_make_no_right_limiter_wrong(policy, limiter, story, phase_s):
    limiter = limiter(phase_s)
    asked = [
        Asked(at_s, at_s + 1e-6, limiter.passes(math.floor(at_s / GRAIN_S) * GRAIN_S, cost), cost)
        for at_s, cost in sorted(story)
    ]
    assert contradictions(policy, asked) == []


def weighed(*asked):
    """What a counter can't have answered, of windows that start at 0, 10 and 20 seconds."""
    layout = tuple(window(COUNTER, start_s, start_s) for start_s in (-10.0, 0.0, 10.0, 20.0))
    return told(sliding_counter(Counted(COUNTER, layout, asked)))


FULL = passed(1, 1, 1, 1, 1)


def test_the_window_before_counts_with_the_share_that_is_left():
    # A quarter into the window three quarters of five are left, rounded down: two may pass.
    assert weighed(*FULL, *passed(12.5, 12.5)) == []
    assert weighed(*FULL, *passed(12.5, 12.5, 12.5)) == [(6, 5)] * 3
    # Three, were the clocks the same; so it may be two as well.
    assert weighed(*FULL, *passed(14, 14, 14)) == []
    # At its end nothing is left.
    assert weighed(*FULL, *passed(19.9, 19.9, 19.9, 19.9, 19.9)) == []


def test_it_says_what_was_counted():
    layout = tuple(window(COUNTER, start_s, start_s) for start_s in (-10.0, 0.0, 10.0))
    asked = [*FULL, *passed(12.5, 12.5, 12.5)]
    messages = {found.message for found in sliding_counter(Counted(COUNTER, layout, asked))}
    assert messages == {"6 passed as two windows weigh, at most 5 may"}
    asked = passed(*[9.99] * 11)
    (found, *_) = fixed_window(Counted(ALIGNED, layout, asked))
    assert found.message == "11 passed in 2 windows, at most 10 may"


def test_only_what_came_no_later_counts_in_the_window():
    # One at the start, where four are left; four more at the end, where none is.
    assert weighed(*FULL, *passed(10.1), *passed(19, 19, 19, 19)) == []
    assert weighed(*FULL, *passed(10.1, 10.1)) == [(6, 5)] * 2


def test_the_window_before_the_last_counts_no_more():
    assert weighed(*FULL, *passed(20.1, 20.1, 20.1, 20.1, 20.1)) == []
    assert weighed(*FULL, refused(20.1)) == [(0, 5)]


def test_a_refusal_needs_that_no_room_was_left():
    # 3.775 with the tolerance: one more has room.
    assert weighed(*FULL, refused(12.5)) == [(pytest.approx(3.775), 5)]
    assert weighed(*FULL, *passed(12.4), refused(12.5)) == []
    assert weighed(*FULL, *passed(12.5), refused(12.5)) == []
    # No window counts more than whole.
    assert weighed(*passed(1, 1, 1, 1), refused(10.0)) == [(4, 5)]
    assert weighed(*FULL, refused(12.5, cost=2)) == []
    assert weighed(*FULL, refused(10.0)) == []
    assert weighed(*passed(1, 1), refused(2, cost=5), refused(3)) == [(2, 5)]
    assert weighed(refused(2, cost=6), refused(3, cost=5)) == [(0, 5)]
    assert weighed(refused(2, cost=LIMIT)) == [(0, 5)]


def test_the_first_window_of_a_counter_has_none_before_it():
    assert weighed(*passed(1), refused(2)) == [(1, 5)]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ([*FULL, refused(10.9)], []),
        ([*FULL, refused(11.04)], []),  # within the tolerance
        ([*FULL, refused(11.1)], [(0, 5)]),
        ([*passed(1, 1, 1, 1), refused(2)], [(4, 5)]),
        ([*passed(1), refused(2, cost=5), refused(3, cost=4)], [(1, 5)]),
        ([refused(2, cost=6), refused(3, cost=5)], [(0, 5)]),
        # A refusal takes nothing, whenever it came.
        ([*passed(1), *[refused(2, cost=6)] * 5, refused(3)], [(1, 5)]),
    ],
)
def test_what_a_log_refuses(asked, found):
    assert told(contradictions(LOG, asked)) == found


EMPTY = passed(0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ([*EMPTY, refused(2.0)], []),
        ([*EMPTY, refused(2.04)], []),  # within the tolerance
        ([*EMPTY, refused(2.2)], [(pytest.approx(3.925), 5)]),
        ([*passed(0), refused(0.01, cost=5)], []),
        ([*passed(0), refused(0.01, cost=4)], [(1, 5)]),
        ([*EMPTY, *passed(4, 4), refused(4.1)], []),
        ([*EMPTY, *passed(4), refused(4.1)], [(pytest.approx(3.975), 5)]),
        # Full again, and then no more than full.
        ([*EMPTY, *passed(20, 20, 20), refused(20.01, cost=3)], []),
        ([*EMPTY, *passed(20, 20, 20), refused(20.01, cost=2)], [(3, 5)]),
        ([*passed(0), refused(1, cost=6), refused(2, cost=2)], [(pytest.approx(0.025), 5)]),
        ([refused(1, cost=6), refused(1, cost=5)], [(0, 5)]),
        ([*EMPTY, *[refused(0.1)] * 5, refused(2.2)], [(pytest.approx(3.925), 5)]),
    ],
)
def test_what_a_bucket_refuses(asked, found):
    assert told(contradictions(BUCKET, asked)) == found


def test_a_span_says_how_much_passed_in_what_time():
    (found,) = contradictions(LOG, [*passed(0, 1, 2, 3), *passed(8, cost=2), *passed(30)])
    assert (found.observed, found.limit, found.message) == (6, 5, "6 passed within 8.000 s, at most 5 may")


def test_what_costs_the_whole_limit_fits():
    assert told(contradictions(FIRST, [refused(1, cost=5)])) == [(0, 5)]
    assert contradictions(FIRST, [*passed(0), refused(1, cost=5)]) == []


def test_windows_open_with_the_first_request_that_surely_comes_after_the_last():
    first, second = opened_by_requests(FIRST, [Asked(0, 1, True), Asked(2, 3, True), Asked(12, 14, True)])
    assert (first.starts_s, first.ends_s) == ((0, 1), (9.95, 11.05))
    assert second.starts_s == (12, 14)
    first, _ = opened_by_requests(FIRST, [Asked(0, 1, True, cost=5), Asked(12, 14, True, cost=5)])
    assert first.starts_s == (0, 1)
    # One that may still be of the first window may also have opened the second.
    _, second = opened_by_requests(FIRST, [Asked(0, 1, True), Asked(10, 12, True), Asked(13, 15, True)])
    assert second.starts_s == (10, 15)


def test_a_request_is_in_a_window_that_it_touches():
    between = window(FIRST, 0.0, 1.0)
    assert [
        between.may_hold(Asked(*when, passed=True)) for when in ((-3, -1), (-3, 0), (11, 12), (11.1, 12))
    ] == [
        False,
        True,
        True,
        False,
    ]


def test_every_phase_of_aligned_windows_is_tried_without_a_gap():
    layouts = list(aligned(ALIGNED, passed(3.0, 7.5, 26.0)))
    assert len(layouts) >= 64
    for layout in layouts:
        starts = [each.starts_s[0] for each in layout]
        assert starts == pytest.approx([starts[0] + n * WINDOW_S for n in range(len(starts))])
        assert layout[0].starts_s[1] + WINDOW_S <= 3.0 + 1e-9
        assert layout[-1].starts_s[0] + WINDOW_S > 26.0
    first = sorted(layout[0].starts_s for layout in layouts)
    assert first[0][0] == pytest.approx(-17.0)
    assert first[-1][1] == pytest.approx(-7.0)
    assert [one[1] for one in first[:-1]] == pytest.approx([other[0] for other in first[1:]])
    # Between two phases no request changes its window: 7.5 and 26.0 are turns too.
    assert {4.5, 3.0} <= {round(low + 17.0, 6) for low, _ in first}


def test_a_refusal_in_no_window_had_all_the_room():
    layout = (window(FIRST, 0.0, 0.0),)
    assert told(fixed_window(Counted(FIRST, layout, [*FULL, refused(50)]))) == [(0, 5)]
