"""How good a classifier is on labelled cases, and whether another is worse on the same cases."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
AT_A_TIME = 100
Weights = NDArray[np.float64]
"""How often each case counts, shape (resamples, n)."""


@dataclass(frozen=True, kw_only=True)
class Classified:
    """What one classifier says of n labelled cases.

    Attributes:
        correct: Shape (n,), whether the predicted class is the true one.
        positive: Shape (n,), whether the true class is the one of interest.
        predicted: Shape (n,), whether the predicted class is.
        score: Shape (n,), finite: the probability it gives to that class.
    """

    correct: NDArray[np.bool_]
    positive: NDArray[np.bool_]
    predicted: NDArray[np.bool_]
    score: NDArray[np.float64]


def accuracy(cases: Classified, weights: Weights) -> NDArray[np.float64]:
    """Share of the cases with the right class; shape (resamples,), as for all measures here."""
    return _share(weights, cases.correct, np.ones_like(cases.correct))


def precision(cases: Classified, weights: Weights) -> NDArray[np.float64]:
    """Share of the predicted positives that are positive; NaN where none is predicted."""
    return _share(weights, cases.positive & cases.predicted, cases.predicted)


def recall(cases: Classified, weights: Weights) -> NDArray[np.float64]:
    """Share of the positives that are predicted; NaN where there is none."""
    return _share(weights, cases.positive & cases.predicted, cases.positive)


def auc(cases: Classified, weights: Weights) -> NDArray[np.float64]:
    """Probability that a positive scores above a negative, half for a tie (Hanley and McNeil 1982)."""
    order = np.argsort(cases.score, kind="stable")
    _, starts = np.unique(cases.score[order], return_index=True)
    weights, positive = weights[:, order], cases.positive[order]
    positives = np.add.reduceat(weights * positive, starts, axis=1)
    negatives = np.add.reduceat(weights * ~positive, starts, axis=1)
    below = np.cumsum(negatives, axis=1) - negatives
    pairs = positives.sum(axis=1) * negatives.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(
            (positives * (below + negatives / 2)).sum(axis=1) / np.where(pairs > 0, pairs, np.nan)
        )


def brier(cases: Classified, weights: Weights) -> NDArray[np.float64]:
    """Mean squared distance of the score to 1 for a positive and 0 for a negative (Brier 1950)."""
    return np.asarray(weights @ np.square(cases.score - cases.positive) / weights.sum(axis=1))


MEASURES: Mapping[str, Callable[[Classified, Weights], NDArray[np.float64]]] = {
    "accuracy": accuracy,
    "precision": precision,
    "recall": recall,
    "auc": auc,
    "brier": brier,
}


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A measure or a difference of two, with its bounds.

    Attributes:
        observed: On the cases as they are; NaN where it is not defined.
        lower: Bound at the confidence that was asked for; ``upper`` likewise.
    """

    observed: float
    lower: float
    upper: float


def measure(name: str, cases: Classified) -> float:
    """A measure on the cases as they are."""
    return float(MEASURES[name](cases, np.ones((1, cases.correct.size)))[0])


def estimate(name: str, cases: Classified, *, confidence: float, seed: int) -> Estimate:
    """A measure with percentile bootstrap bounds (Efron 1979): the cases as a sample of all there may be.

    Args:
        name: Of :data:`MEASURES`.
        cases: At least one.
        confidence: Of each bound by itself, in (0.5, 1).
        seed: Of the resampling.
    """
    resampled = [MEASURES[name](cases, weights) for weights in _resamples(cases.correct.size, seed)]
    return _bounded(measure(name, cases), np.concatenate(resampled), confidence)


def difference(
    name: str, candidate: Classified, reference: Classified, *, confidence: float, seed: int
) -> Estimate:
    """The candidate's measure less the reference's, both on the same cases in each resample.

    So what is easy or hard for both is no noise: classifiers that answer alike differ by nothing, exactly.

    Args:
        name: Of :data:`MEASURES`.
        candidate: At least one case; ``reference`` the same cases.
        reference: See there.
        confidence: Of each bound by itself, in (0.5, 1).
        seed: Of the resampling.
    """
    function = MEASURES[name]
    resampled = [
        function(candidate, weights) - function(reference, weights)
        for weights in _resamples(candidate.correct.size, seed)
    ]
    observed = measure(name, candidate) - measure(name, reference)
    return _bounded(observed, np.concatenate(resampled), confidence)


def _resamples(cases: int, seed: int) -> Iterator[Weights]:
    generator = np.random.default_rng(seed)
    shares = np.full(cases, 1.0 / cases)
    for _ in range(RESAMPLES // AT_A_TIME):
        yield generator.multinomial(cases, shares, size=AT_A_TIME).astype(np.float64)


def _bounded(observed: float, resampled: NDArray[np.float64], confidence: float) -> Estimate:
    defined = resampled[~np.isnan(resampled)]
    if not defined.size:
        return Estimate(observed=observed, lower=float("nan"), upper=float("nan"))
    lower, upper = map(float, np.quantile(defined, [1.0 - confidence, confidence]))
    return Estimate(observed=observed, lower=lower, upper=upper)


def _share(weights: Weights, hits: NDArray[np.bool_], of: NDArray[np.bool_]) -> NDArray[np.float64]:
    total = weights @ of
    return np.asarray(np.divide(weights @ hits, total, out=np.full(total.shape, np.nan), where=total > 0))
