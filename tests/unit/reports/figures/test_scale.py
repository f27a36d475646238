import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.reports.figures import scale, svg

FINITE = st.floats(-1e12, 1e12)
POSITIVE = st.floats(0, 1e12)


@given(FINITE, FINITE, st.lists(FINITE | st.sampled_from([math.inf, -math.inf]), min_size=1))
def test_every_value_has_a_place_within_and_larger_ones_lie_no_lower(low, high, values):
    for made in (scale.linear(low, high, 10, 90), scale.logarithmic(low, high, 10, 90)):
        places = [made(value) for value in sorted(values)]
        assert all(10 <= place <= 90.0001 for place in places)
        assert places == sorted(places)


@given(st.integers(0, 10**7), st.floats(0, 1))
def test_every_share_has_a_place_however_few_are_slower(samples, share):
    assert 10 <= scale.tail(samples, 90, 10)(share) <= 90


@given(FINITE, st.floats(1e-6, 1e12))
def test_round_values_lie_within_and_are_few(low, width):
    made = scale.linear(low, low + width, 0, 100)
    assert len(scale.linear_ticks(made)) <= scale.MOST_TICKS + 1


@given(POSITIVE, st.floats(1.1, 1e9))
def test_ticks_of_a_logarithm_lie_within_and_are_few(low, times):
    made = scale.logarithmic(low, low * times, 0, 100)
    ticks = scale.log_ticks(made)
    assert all(made.low * 0.999 <= tick <= made.high * 1.001 for tick in ticks)
    assert len(ticks) <= 3 * scale.MOST_TICKS


def test_ticks_are_those_that_people_write():
    assert scale.log_ticks(scale.logarithmic(0.9, 60, 0, 100)) == (1, 2, 5, 10, 20, 50)
    assert scale.log_ticks(scale.logarithmic(0.001, 1000, 0, 100)) == pytest.approx(
        (0.001, 0.01, 0.1, 1, 10, 100, 1000)
    )
    assert scale.linear_ticks(scale.linear(0, 31, 0, 100)) == (0, 5, 10, 15, 20, 25, 30)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_what_has_no_place_is_refused(value):
    with pytest.raises(ValueError, match="no place"):
        svg.number(value)


@given(st.text(max_size=50))
def test_text_is_escaped_and_on_one_line(content):
    element = svg.text((1, 2), content + "</text><script>")
    assert "<script" not in element
    assert element.isprintable()


@given(st.text(max_size=50), st.integers(4, 20))
def test_a_shortened_text_is_no_longer_than_asked(content, most):
    assert len(svg.short(content, most)) <= most
