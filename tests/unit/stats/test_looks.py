"""A declared plan of looks spends its alpha once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.looks import Looks


@given(
    blocks=st.integers(1, 1000),
    fractions=st.lists(st.floats(0.01, 1.0), min_size=1, max_size=6),
    powers=st.tuples(st.floats(0.5, 3), st.floats(0.5, 3)),
    within=st.floats(0.001, 0.2),
    beyond=st.floats(0.0001, 0.2),
)
def test_looks_spend_each_error_exactly_once(blocks, fractions, powers, within, beyond):
    looks = Looks(blocks=blocks, fractions=tuple(fractions), within_power=powers[0], beyond_power=powers[1])
    spent = [looks.spending_at(at, within=within, beyond=beyond) for at in looks.at_blocks]
    assert sum(each.within for each in spent) == pytest.approx(within)
    assert sum(each.beyond for each in spent) == pytest.approx(beyond)
    assert min(min(each.within, each.beyond) for each in spent) > 0
    assert looks.at_blocks[-1] == blocks


def test_a_reject_may_spend_more_of_its_error_early_than_a_pass():
    looks = Looks(blocks=60)
    spent = [looks.spending_at(at, within=1.0, beyond=1.0) for at in looks.at_blocks]
    assert [round(each.within, 4) for each in spent] == [0.0225, 0.0675, 0.27, 0.64]
    assert [round(each.beyond, 4) for each in spent] == [0.0933, 0.1287, 0.306, 0.4719]


def test_default_looks():
    looks = Looks(blocks=60)
    assert looks.at_blocks == (9, 18, 36, 60)
    assert [looks.latest(n) for n in (0, 8, 9, 17, 18, 35, 59, 60, 70)] == [
        None,
        None,
        9,
        9,
        18,
        18,
        36,
        60,
        60,
    ]


def test_there_is_no_look_between_the_looks():
    with pytest.raises(ValueError, match="not in tuple"):
        Looks(blocks=120).spending_at(50, within=0.05, beyond=0.05)
