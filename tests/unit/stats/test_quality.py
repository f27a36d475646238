"""Measures of a classifier against their definitions, and what the bootstrap says of a difference."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.quality import MEASURES, Classified, difference, estimate, measure

CASES = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.booleans(), st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0])),
    min_size=1,
    max_size=40,
)


def classified(rows):
    correct, positive, predicted, score = (list(column) for column in zip(*rows, strict=True))
    return Classified(
        correct=np.array(correct),
        positive=np.array(positive),
        predicted=np.array(predicted),
        score=np.array(score, float),
    )


def share(hits, of):
    return sum(hits) / sum(of) if sum(of) else math.nan


@given(CASES)
def test_measures_are_what_their_definitions_say(rows):
    cases = classified(rows)
    positive = [row[1] for row in rows]
    predicted = [row[2] for row in rows]
    both = [a and b for a, b in zip(positive, predicted, strict=True)]
    pairs = [(p[3], n[3]) for p in rows if p[1] for n in rows if not n[1]]
    wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs]
    expected = {
        "accuracy": share([row[0] for row in rows], [True] * len(rows)),
        "precision": share(both, predicted),
        "recall": share(both, positive),
        "auc": sum(wins) / len(wins) if wins else math.nan,
        "brier": sum((row[3] - row[1]) ** 2 for row in rows) / len(rows),
    }
    for name, value in expected.items():
        assert measure(name, cases) == pytest.approx(value, nan_ok=True), name


@given(CASES, st.sampled_from(sorted(MEASURES)))
def test_classifiers_that_answer_alike_differ_by_nothing(rows, name):
    cases = classified(rows)
    found = difference(name, cases, cases, confidence=0.95, seed=1)
    assert {found.observed, found.lower, found.upper} <= {0.0} or math.isnan(found.observed)


@given(CASES, st.sampled_from(sorted(MEASURES)), st.integers(0, 5))
def test_bounds_are_in_order_and_follow_the_seed(rows, name, seed):
    cases = classified(rows)
    found = estimate(name, cases, confidence=0.9, seed=seed)
    assert found == estimate(name, cases, confidence=0.9, seed=seed) or math.isnan(found.lower)
    assert math.isnan(found.lower) or 0 <= found.lower <= found.upper <= 1


def drawn(generator, cases, accuracy, other_accuracy):
    positive = generator.uniform(size=cases) < 0.4
    hard = generator.uniform(size=cases)
    sides = []
    for rate in (accuracy, other_accuracy):
        correct = hard < rate
        predicted = positive == correct
        sides.append(
            Classified(correct=correct, positive=positive, predicted=predicted, score=predicted.astype(float))
        )
    return sides


def test_the_bounds_of_a_difference_hold_about_as_often_as_they_say():
    generator, tries, truth = np.random.default_rng(3), 60, -0.03
    above = below = 0
    for seed in range(tries):
        candidate, reference = drawn(generator, 400, 0.92, 0.95)
        found = difference("accuracy", candidate, reference, confidence=0.95, seed=seed)
        above += found.lower > truth
        below += found.upper < truth
    # 5 % each by promise: P[Bin(60, 0.05) > 8] < 1 %.
    assert max(above, below) <= 8
