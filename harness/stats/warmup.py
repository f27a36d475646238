"""Where a service that is still warming up has settled: a change to faster, found by ranks."""

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

SLICES = 30
"""How many a run is cut into: few enough to count subsets exactly, and long enough for a steady median."""
FALSE_ALARM = 0.01
"""How often a steady side (slices in random order) is taken for one that warms up, at most."""
CLEARLY = 1.1
"""The median of the slices before has to be so many times that of the slices after."""


def settled_after(medians: NDArray[np.float64], *, most: float) -> int:
    """Return after how many of the blocks a side has settled; 0 where it does not warm up.

    The blocks are cut into slices, each with the median of its blocks. For each k, the rank sum of the first
    k slices has an exact chance to be so large, were the order random (Wilcoxon's test); the smallest chance
    is where it changes. It has to be below `FALSE_ALARM`, divided by the number of k that are tried.

    A side that changes later than `most` allows, falls all the time, or fails most of its requests in a
    slice is not warming up: nothing is left out then.

    Args:
        medians: Shape (blocks,), of each block's response times, +inf where most of its requests failed.
        most: The largest share of the blocks that may be warm-up, in [0, 0.5].
    """
    blocks = medians.size
    slices = min(SLICES, blocks)
    ends = [round(end) for end in np.linspace(0, blocks, slices + 1)]
    of_slice = np.array([np.median(medians[start:end]) for start, end in pairwise(ends)])
    tried = slices // 2
    if tried == 0 or not np.isfinite(of_slice).all():
        return 0
    chances = first_are_slow(of_slice, tried)
    at = int(np.argmin(chances)) + 1
    slower = np.median(of_slice[:at]) >= CLEARLY * np.median(of_slice[at:])
    if chances[at - 1] > FALSE_ALARM / tried or not slower or ends[at] > most * blocks:
        return 0
    return int(ends[at])


def first_are_slow(values: NDArray[np.float64], tried: int) -> NDArray[np.float64]:
    """Return for k = 1..tried the chance that k values drawn at random rank as high as the first k.

    Args:
        values: Shape (n,), finite; ties get the lowest of their ranks, so that they never count as slower.
        tried: At most n / 2.
    """
    n = values.size
    ranks = np.searchsorted(np.sort(values), values, side="left").astype(int)
    # ways[k][s]: the number of k-subsets of the ranks that sum up to s.
    top = tried * n
    ways = np.zeros((tried + 1, top + 1))
    ways[0, 0] = 1.0
    for rank in ranks.tolist():
        for k in range(tried, 0, -1):
            ways[k, rank:] += ways[k - 1, : top + 1 - rank]
    sums = np.cumsum(ranks[:tried])
    return np.array([ways[k, sums[k - 1] :].sum() / math.comb(n, k) for k in range(1, tried + 1)])
