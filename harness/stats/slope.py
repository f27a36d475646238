"""A straight line through points of which some may lie anywhere."""

from collections.abc import Sequence

import numpy as np


def theil_sen(x: Sequence[float], y: Sequence[float]) -> float:
    """The median of the slopes between all pairs of points (Sen 1968, J. Am. Stat. Assoc. 63, 1379-1389).

    Up to 29 % of the points may be off by any amount without carrying it away.

    Args:
        x: Of at least two points, not all alike.
        y: As many.

    Raises:
        ValueError: when no two points differ in ``x``.
    """
    at, value = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    first, second = np.triu_indices(len(at), k=1)
    run = at[second] - at[first]
    apart = run != 0
    if not apart.any():
        raise ValueError("no two points differ in x")
    return float(np.median((value[second] - value[first])[apart] / run[apart]))
