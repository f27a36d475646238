"""How far apart two services' predictions for the same requests are, as distributions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.stats.judgement import Shown

RESAMPLES = 1000
PSEUDOCOUNT = 0.5


@dataclass(frozen=True, kw_only=True)
class Divergence:
    """A measure of distance between two distributions, and where resampling the requests moves it.

    Attributes:
        observed: Of the requests that were asked.
        lower: Bound at the confidence that was asked for; ``upper`` likewise.
    """

    observed: float
    lower: float
    upper: float

    def shown(self, limit: float) -> Shown:
        """Which side of ``limit`` both bounds are on."""
        if self.upper <= limit:
            return Shown.WITHIN
        return Shown.BEYOND if self.lower > limit else Shown.NEITHER


def bin_edges(values: NDArray[np.float64], bins: int, tie: float = 0.0) -> NDArray[np.float64]:
    """Inner edges of bins that hold as many of ``values`` each as ties allow.

    A value that fills more than a bin has one of its own, so that what leaves it is seen.

    Args:
        values: Shape (n,), n > 0, finite.
        bins: At least 2.
        tie: What is no further from such a value belongs into its bin.

    Returns:
        Shape (k,), ascending, k <= bins. Bin i holds ``edges[i - 1] <= x < edges[i]``, so that a value on an
        edge lies above it.
    """
    inner, times = np.unique(
        np.quantile(values, np.arange(1, bins) / bins, method="inverted_cdf"), return_counts=True
    )
    tied = inner[times > 1]
    above = np.maximum(tied + tie, np.nextafter(tied, np.inf))
    edges = np.unique(np.concatenate([inner[times == 1], tied - tie, above]))
    if values.min() == values.max():
        return np.asarray(edges)
    return np.asarray(edges[(edges > values.min()) & (edges <= values.max())])


def joint_counts(reference: NDArray[np.intp], candidate: NDArray[np.intp], bins: int) -> NDArray[np.int64]:
    """How many requests the reference puts into bin i and the candidate into bin j.

    Args:
        reference: Shape (n,), in [0, bins); ``candidate`` likewise, of the same requests.
        bins: How many there are.

    Returns:
        Shape (bins, bins), int64.
    """
    cells = np.bincount(reference * bins + candidate, minlength=bins * bins)
    return cells.reshape(bins, bins).astype(np.int64)


def population_stability_index(
    expected: NDArray[np.float64], observed: NDArray[np.float64]
) -> NDArray[np.float64]:
    """PSI, the symmetrised Kullback-Leibler divergence (Jeffreys 1946): sum of (q - p) ln(q / p).

    Args:
        expected: Counts, shape (..., bins); half a request is added to each bin, so that none is empty.
        observed: Likewise.
    """
    p, q = _shares(expected), _shares(observed)
    return np.asarray(((q - p) * np.log(q / p)).sum(axis=-1))


def jensen_shannon(expected: NDArray[np.float64], observed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Jensen-Shannon divergence to base 2, in [0, 1] (Lin 1991); arguments as for the PSI."""
    p, q = _shares(expected), _shares(observed)
    middle = (p + q) / 2
    bits = p * np.log2(p / middle) + q * np.log2(q / middle)
    return np.asarray(bits.sum(axis=-1) / 2)


@dataclass(frozen=True, kw_only=True)
class Divergences:
    """Both measures of one prediction."""

    psi: Divergence
    jensen_shannon: Divergence


def divergences(joint: NDArray[np.int64], *, confidence: float, seed: int) -> Divergences:
    """Measure two distributions of predictions for the same requests, with bounds from the bootstrap.

    Requests are drawn again, each with both its predictions, so what the two share does not count as noise:
    two services that answer alike have no distance in any resample. Bounds are the wider of the percentile
    and the basic ones (Davison and Hinkley 1997, section 5.2): noise makes a measure that is never negative
    larger, so the percentiles alone lie too high. They hold for traffic of which the requests are a random
    sample.

    Args:
        joint: From :func:`joint_counts`, with at least one request.
        confidence: Of each bound by itself, in (0.5, 1).
        seed: Of the resampling.
    """
    requests = int(joint.sum())
    shares = (joint / requests).ravel()
    # A drawn sample is a draw from the cells of the joint table: the requests themselves are not needed.
    drawn = np.random.default_rng(seed).multinomial(requests, shares, size=RESAMPLES)
    drawn = drawn.reshape(RESAMPLES, *joint.shape)
    expected, observed = drawn.sum(axis=2).astype(float), drawn.sum(axis=1).astype(float)
    seen = joint.sum(axis=1).astype(float), joint.sum(axis=0).astype(float)
    return Divergences(
        psi=_bounded(
            float(population_stability_index(*seen)),
            population_stability_index(expected, observed),
            confidence,
        ),
        jensen_shannon=_bounded(float(jensen_shannon(*seen)), jensen_shannon(expected, observed), confidence),
    )


def _bounded(observed: float, resampled: NDArray[np.float64], confidence: float) -> Divergence:
    low, high = map(float, np.quantile(resampled, [1.0 - confidence, confidence]))
    mirrored = 2 * observed - high, 2 * observed - low
    return Divergence(observed=observed, lower=max(0.0, min(low, mirrored[0])), upper=max(high, mirrored[1]))


def _shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    smoothed = counts + PSEUDOCOUNT
    return np.asarray(smoothed / smoothed.sum(axis=-1, keepdims=True))
