"""Folds the scaler into the trees, so that no rounding can send a row to another leaf.

scikit-learn scales a float32 row (the result is float32 again) and compares it with float64 thresholds. Done
naively in float32, scaling and thresholds round differently and rows change leaves. But scaling a column is
a non-decreasing function `s` from float32 to float32: subtraction of a constant, division by a positive
constant and both roundings are monotone. Hence for each split `s(x) <= t` there is a largest float32 `c` with
`s(c) <= t`, and for every finite float32 `x`: `s(x) <= t` exactly when `x <= c`. Found by bisection over the
float32 numbers in order, with the fitted scaler itself as `s`.
"""

import copy

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from reference_service.pipeline.errors import FoldingError

LARGEST = float(np.finfo(np.float32).max)


def folded(pipeline: Pipeline) -> GradientBoostingClassifier:
    """Return a copy of the classifier whose trees split unscaled float32 features as the pipeline does.

    Raises:
        FoldingError: A split sends every float32 to one side, or a found threshold fails its own proof.
    """
    scaler: StandardScaler = pipeline.named_steps["scaler"]
    classifier = copy.deepcopy(pipeline.named_steps["classifier"])
    for estimator in classifier.estimators_.ravel():
        tree = estimator.tree_
        inner = np.flatnonzero(tree.children_left >= 0)
        tree.threshold[inner] = _cuts(scaler, tree.feature[inner], tree.threshold[inner])
    return classifier


def cut_points(classifier: GradientBoostingClassifier) -> list[tuple[int, float]]:
    """List every (feature column, threshold) of a classifier's splits."""
    return [
        (int(column), float(threshold))
        for estimator in classifier.estimators_.ravel()
        for column, threshold, left in zip(
            estimator.tree_.feature, estimator.tree_.threshold, estimator.tree_.children_left, strict=True
        )
        if left >= 0
    ]


def _cuts(
    scaler: StandardScaler, columns: NDArray[np.int64], thresholds: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Bisect for the largest float32 of each split that still goes left."""
    low = np.full(columns.shape, _rank(np.float32(-LARGEST)), dtype=np.int64)
    high = np.full(columns.shape, _rank(np.float32(LARGEST)), dtype=np.int64)
    while np.any(high - low > 1):
        middle = (low + high) // 2
        left = _scaled(scaler, columns, _float(middle)) <= thresholds
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    cuts, beyond = _float(low), _float(high)
    proven = (_scaled(scaler, columns, cuts) <= thresholds) & (_scaled(scaler, columns, beyond) > thresholds)
    if not proven.all():
        raise FoldingError(f"no float32 threshold for columns {columns[~proven].tolist()}")
    return cuts


def _scaled(
    scaler: StandardScaler, columns: NDArray[np.int64], values: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Scale one value per split with the fitted scaler itself, each in its own row and column."""
    rows = np.zeros((len(values), scaler.n_features_in_), dtype=np.float32)
    picked = np.arange(len(values)), columns
    rows[picked] = values
    with np.errstate(over="ignore"):  # the ends of the float32 range may scale to infinity, on the right side
        scaled: NDArray[np.float32] = scaler.transform(rows)[picked]
    return scaled


def _rank(value: np.float32) -> int:
    """Map a float32 to an integer in the same order (both zeros to 0)."""
    bits = int(np.asarray(value, dtype=np.float32).view(np.int32))
    return bits if bits >= 0 else -(bits & 0x7FFFFFFF)


def _float(ranks: NDArray[np.int64]) -> NDArray[np.float32]:
    """Undo `_rank` for an array."""
    magnitude = np.abs(ranks).astype(np.int32).view(np.float32)
    return np.where(ranks < 0, -magnitude, magnitude).astype(np.float32)
