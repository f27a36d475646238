"""Quantiles with lost answers, and the sample counts they need."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.quantiles import least_samples, quantile

times = st.lists(st.floats(0, 1e6) | st.just(math.inf), min_size=1, max_size=200)


@given(values=times, probability=st.floats(0.01, 1.0))
def test_quantile_is_the_smallest_sample_not_exceeded_by_enough(values, probability):
    array = np.array(values)
    observed = quantile(array, probability)
    assert observed in values
    assert np.mean(array <= observed) >= probability - 1e-9
    assert np.mean(array < observed) < probability


def test_lost_answers_lie_above_every_time():
    array = np.concatenate([np.full(98, 2.0), np.full(2, math.inf)])
    assert quantile(array, 0.95) == 2.0
    assert quantile(array, 0.98) == 2.0
    assert quantile(array, 0.99) == math.inf


@pytest.mark.parametrize(
    ("values", "probability"), [([], 0.5), ([1.0], 0.0), ([1.0], 1.1), ([1.0, math.nan], 0.5)]
)
def test_quantile_refuses_nonsense(values, probability):
    with pytest.raises(ValueError, match="quantile"):
        quantile(np.array(values, dtype=float), probability)


@pytest.mark.parametrize(
    ("probability", "confidence", "over_limit", "expected"),
    [
        (0.95, 0.95, 0, 59),
        (0.95, 0.99, 0, 90),
        (0.95, 0.95, 10, 336),
        (0.95, 0.99, 10, 398),
        (0.99, 0.95, 0, 299),
        (0.99, 0.99, 0, 459),
        (0.99, 0.95, 10, 1693),
        (0.99, 0.99, 10, 2010),
        (0.5, 0.95, 0, 5),
    ],
)
def test_least_samples_known_values(probability, confidence, over_limit, expected):
    assert least_samples(probability, confidence, over_limit) == expected
