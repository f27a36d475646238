"""Growth, gradual or at once."""

import numpy as np
import pytest

from harness.stats.growth import at_least, judge_growth, of_logarithms
from harness.stats.judgement import Shown, Spending

SPENDING = Spending(within=0.05, beyond=0.01)
AT = np.linspace(0.0, 1.0, 30)


def noisy(values, seed=1, sigma=0.02):
    return values + sigma * np.random.default_rng(seed).standard_normal(AT.size)


@pytest.mark.parametrize("shape", [AT, np.where(AT > 0.65, 1.0, 0.0), np.where(AT > 0.4, 1.0, 0.0)])
def test_slopes_and_steps_are_found(shape):
    judged = judge_growth(AT, noisy(0.4 * shape), limit=0.2, spending=SPENDING)
    assert judged.shown is Shown.BEYOND
    assert judged.lower <= judged.observed <= judged.upper
    assert judge_growth(AT, noisy(0.05 * shape), limit=0.2, spending=SPENDING).shown is Shown.WITHIN
    assert judge_growth(AT, noisy(-0.4 * shape), limit=0.2, spending=SPENDING).shown is Shown.WITHIN


def test_a_growth_at_the_limit_is_rejected_as_seldom_as_promised():
    shown = [
        judge_growth(AT, noisy(0.2 * AT, seed, 0.1), limit=0.2, spending=SPENDING).shown
        for seed in range(1000)
    ]
    assert shown.count(Shown.BEYOND) <= 20
    assert shown.count(Shown.WITHIN) <= 70


def test_what_was_seen_besides_keeps_it_from_passing():
    judged = judge_growth(AT, noisy(0 * AT), limit=0.2, spending=SPENDING)
    assert at_least(judged, 0.1, 0.2).shown is Shown.WITHIN
    assert at_least(judged, 0.3, 0.2).shown is Shown.NEITHER


def test_logarithms_become_shares():
    judged = of_logarithms(judge_growth(AT, np.log(2.0) * AT, limit=0.2, spending=SPENDING))
    assert judged.observed == pytest.approx(1.0)
