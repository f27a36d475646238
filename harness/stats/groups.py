"""Contiguous groups of blocks: the units that the tests take as independent."""

import numpy as np
from numpy.typing import NDArray

GROUPS = 16
"""How many groups a look is cut into: few, so that each is long against the noise's memory, and enough for
sign flips of rare events, of which some groups have none, to reach what an early look may spend."""
LEAST_GROUPS = 12
"""With fewer, p = 2^-G at best, which a look of all blocks need not reach."""


def group_of_block(blocks: int) -> NDArray[np.intp]:
    """Return the group of each block, shape (blocks,), contiguous and as even as can be."""
    return np.arange(blocks, dtype=np.intp) * min(GROUPS, blocks) // blocks


def sum_by_group(values: NDArray[np.float64], groups: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the sum of `values` (n,) within each group, shape (number of groups,)."""
    sums: NDArray[np.float64] = np.bincount(groups, weights=values).astype(np.float64)
    return sums
