import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.clock import Exchange, Offset, WorkerClock, offset_of

trips = st.lists(st.tuples(st.floats(0, 0.1), st.floats(0, 0.1), st.floats(0, 100)), min_size=1, max_size=20)


@given(trips, st.floats(-1e5, 1e5))
def test_the_true_offset_lies_within_the_uncertainty(delays, ahead_s):
    exchanges = [
        Exchange(asked_s=asked, there_s=asked + out + ahead_s, answered_s=asked + out + back)
        for out, back, asked in delays
    ]
    offset = offset_of(exchanges)
    assert abs(offset.ahead_s - ahead_s) <= offset.uncertainty_s + 1e-9


def test_the_fastest_exchange_tells():
    slow = Exchange(asked_s=0.0, there_s=100.5, answered_s=1.0)
    fast = Exchange(asked_s=2.0, there_s=102.3, answered_s=2.2)
    assert offset_of([slow, fast]).ahead_s == pytest.approx(100.2)
    assert offset_of([slow, fast]).uncertainty_s == pytest.approx(0.1)


def test_a_clock_that_runs_faster_is_followed():
    before = Offset(at_s=1000.0, ahead_s=900.0, uncertainty_s=0.0)
    after = Offset(at_s=1100.0, ahead_s=900.1, uncertainty_s=0.0)
    clock = WorkerClock(worker=0, name="a", before=before, after=after)
    assert clock.ahead_s(np.array([1000.0, 1050.0, 1100.0])).tolist() == pytest.approx([900, 900.05, 900.1])
