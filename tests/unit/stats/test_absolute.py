"""Absolute limits: known verdicts, agreement of verdict and bounds, error rates by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.absolute import judge_quantile, judge_share
from harness.stats.groups import group_of_block
from harness.stats.judgement import Shown, Spending
from harness.stats.looks import Looks

SPENDING = Spending(within=0.05, beyond=0.05)


def even_groups(n):
    return np.arange(n) * 12 // n


@pytest.mark.parametrize(("n", "shown"), [(298, Shown.NEITHER), (299, Shown.WITHIN)])
def test_p99_needs_299_samples_without_a_miss(n, shown):
    # Spread evenly, so that the samples are worth no less than their number.
    times = np.tile(np.linspace(1.0, 2.0, 13), n // 13 + 1)[:n]
    judgement = judge_quantile(times, even_groups(n), probability=0.99, limit=5.0, spending=SPENDING)
    assert judgement.shown is shown


def test_lost_answers_count_as_beyond_any_limit():
    times = np.concatenate([np.full(950, 1.0), np.full(50, math.inf)])
    np.random.default_rng(3).shuffle(times)
    judgement = judge_quantile(times, even_groups(1000), probability=0.99, limit=1e9, spending=SPENDING)
    assert judgement.shown is Shown.BEYOND
    assert judgement.observed == math.inf


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(60, 800),
    limit=st.floats(0.5, 4),
    p=st.sampled_from([0.5, 0.95, 0.99]),
)
def test_verdict_and_bounds_agree(seed, n, limit, p):
    times = np.exp(0.4 * np.random.default_rng(seed).standard_normal(n))
    judgement = judge_quantile(times, even_groups(n), probability=p, limit=limit, spending=SPENDING)
    assert (judgement.shown is Shown.WITHIN) == (judgement.upper <= limit)
    assert (judgement.shown is Shown.BEYOND) == (judgement.lower > limit)
    assert judgement.lower <= judgement.observed <= judgement.upper
    assert judgement.growth >= 1.0
    assert (judgement.growth == 1.0) == (judgement.shown is not Shown.NEITHER)


def test_growth_tells_how_many_samples_would_do():
    times = np.full(150, 1.0)
    judgement = judge_quantile(times, even_groups(150), probability=0.99, limit=2.0, spending=SPENDING)
    assert judgement.shown is Shown.NEITHER
    assert 150 * judgement.growth == pytest.approx(299, rel=0.01)


def test_share_of_failures():
    def judge(failed, n, limit=0.01):
        events = np.zeros(n, dtype=bool)
        events[np.linspace(0, n - 1, failed).astype(int)] = failed > 0
        return judge_share(events, even_groups(n), limit=limit, spending=SPENDING)

    assert judge(0, 298).shown is Shown.NEITHER
    assert judge(0, 299).shown is Shown.WITHIN
    assert judge(60, 3000).shown is Shown.BEYOND
    assert judge(60, 3000).observed == 0.02
    assert judge(0, 298).upper == pytest.approx(0.01, rel=0.01)


P95_OF_TIMES = math.exp(0.3 * 1.6448536)


def autocorrelated(n, runs, rho):
    """Logarithms of times over 0.3, shape (n, runs)."""
    rng = np.random.default_rng(11)
    noise = np.empty((n, runs))
    noise[0] = rng.standard_normal(runs)
    for i in range(1, n):
        noise[i] = rho * noise[i - 1] + math.sqrt(1 - rho * rho) * rng.standard_normal(runs)
    return noise


@pytest.mark.parametrize("rho", [0.0, 0.9])
def test_coverage_at_the_limit(rho):
    """With the true quantile at the limit, a pass and a fail each are wrong at most as often as promised."""
    runs, n, p = 400, 1500, 0.95
    noise, limit = autocorrelated(n, runs, rho), P95_OF_TIMES
    shown = [
        judge_quantile(np.exp(0.3 * x), even_groups(n), probability=p, limit=limit, spending=SPENDING).shown
        for x in noise.T
    ]
    worst = 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert shown.count(Shown.WITHIN) / runs <= worst
    assert shown.count(Shown.BEYOND) / runs <= worst


@pytest.mark.parametrize("rho", [0.0, 0.9])
def test_coverage_over_looks_that_begin_with_two_groups(rho):
    """As `latency.slo` looks: whichever look decides first, no more is wrong than all may spend together."""
    runs, blocks, each = 600, 12, 120
    looks, promised = Looks(blocks=blocks), Spending(within=0.05, beyond=0.01)
    noise = autocorrelated(blocks * each, runs, rho)

    def first_shown(times):
        for look in looks.at_blocks:
            shown = judge_quantile(
                times[: look * each],
                np.repeat(group_of_block(look), each),
                probability=0.95,
                limit=P95_OF_TIMES,
                spending=looks.spending_at(look, within=promised.within, beyond=promised.beyond),
            ).shown
            if shown is not Shown.NEITHER:
                return shown
        return Shown.NEITHER

    shown = [first_shown(np.exp(0.3 * x)) for x in noise.T]
    for verdict, share in ((Shown.WITHIN, promised.within), (Shown.BEYOND, promised.beyond)):
        assert shown.count(verdict) / runs <= share + 2 * math.sqrt(share * (1 - share) / runs)
