"""A declared plan of looks spends its alpha once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.looks import Looks


@given(
    blocks=st.integers(1, 1000),
    fractions=st.lists(st.floats(0.01, 1.0), min_size=1, max_size=6),
    power=st.floats(0.5, 3),
    alpha=st.floats(0.001, 0.2),
)
def test_looks_spend_alpha_exactly_once(blocks, fractions, power, alpha):
    looks = Looks(blocks=blocks, fractions=tuple(fractions), power=power)
    spent = [looks.alpha_at(at, alpha) for at in looks.at_blocks]
    assert sum(spent) == pytest.approx(alpha)
    assert min(spent) > 0
    assert looks.at_blocks[-1] == blocks


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
        Looks(blocks=120).alpha_at(50, 0.05)
