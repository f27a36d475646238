"""The bins that two services' predictions are counted in; pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from harness.checks.drift.evidence import Compared, Value
from harness.checks.drift.settings import PredictionSettings
from harness.stats.drift import bin_edges

MOST_CATEGORIES = 50


@dataclass(frozen=True)
class Binned:
    """One prediction of the requests that both services predicted.

    Attributes:
        reference: Shape (n,), the bin of each request.
        candidate: Likewise.
        labels: What each bin holds, which a service may have written.
    """

    reference: NDArray[np.intp]
    candidate: NDArray[np.intp]
    labels: tuple[str, ...]


def binned(both: Sequence[Compared], name: str, prediction: PredictionSettings) -> Binned:
    """Numbers in bins of an equal share of the reference's, categories in one each of the most frequent.

    Args:
        both: At least one request.
        name: Of the prediction.
        prediction: How it is declared.
    """
    reference = [each.reference.predictions[name] for each in both]
    candidate = [each.candidate.predictions[name] for each in both]
    if prediction.kind == "number":
        return _numbers(reference, candidate, prediction)
    frequent = [value for value, _ in Counter(map(repr, reference)).most_common(MOST_CATEGORIES)]
    numbers = {value: index for index, value in enumerate(frequent)}
    # One bin besides, for what the reference never or rarely says.
    before, after = (
        np.array([numbers.get(repr(value), len(frequent)) for value in side])
        for side in (reference, candidate)
    )
    return Binned(before, after, (*frequent, "any other"))


def _numbers(
    reference: Sequence[Value], candidate: Sequence[Value], prediction: PredictionSettings
) -> Binned:
    edges = bin_edges(np.array(reference, float), prediction.bins, prediction.tolerance)
    before, after = (
        np.searchsorted(edges, np.array(side, float), side="right") for side in (reference, candidate)
    )
    if not edges.size:
        return Binned(before, after, ("any",))
    between = (f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges))
    return Binned(before, after, (f"below {edges[0]:.4g}", *between, f"from {edges[-1]:.4g}"))
