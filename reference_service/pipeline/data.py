"""The data set: loaded, hashed, audited, and split before anything is fitted."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

Matrix = NDArray[np.float64]
Labels = NDArray[np.str_]


class DataError(Exception):
    """The data are not what the audit demands; training stops."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """All rows: `values` of shape [rows, features] in float64, `labels` of shape [rows]."""

    names: tuple[str, ...]
    values: Matrix
    labels: Labels
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Split:
    """Row numbers of the two disjoint parts."""

    training: NDArray[np.int64]
    evaluation: NDArray[np.int64]


def load(expected_sha256: str) -> Dataset:
    """Load the breast-cancer data with snake_case feature names and class names as labels.

    The hash covers the names, then the values (little-endian float64, row-major), then the labels.

    Raises:
        DataError: The hash is not the expected one.
    """
    bunch = load_breast_cancer()
    names = tuple(str(name).replace(" ", "_") for name in bunch.feature_names)
    values = np.ascontiguousarray(bunch.data, dtype="<f8")
    labels = np.asarray([str(bunch.target_names[code]) for code in bunch.target])
    digest = hashlib.sha256()
    for part in ("\n".join(names).encode(), values.tobytes(), "\n".join(labels).encode()):
        digest.update(part)
    if digest.hexdigest() != expected_sha256:
        raise DataError(f"SHA-256 of the data is {digest.hexdigest()}, declared is {expected_sha256}")
    return Dataset(names=names, values=values, labels=labels, sha256=digest.hexdigest())


def audit(dataset: Dataset) -> dict[str, object]:
    """Check the data and describe them.

    Returns:
        Counts and ranges for the record.

    Raises:
        DataError: Values are missing or not finite, a column is constant, a row is duplicated (it could sit
            on both sides of the split), names repeat, or a class is missing.
    """
    values, labels = dataset.values, dataset.labels
    rows, columns = values.shape
    duplicated = rows - len(np.unique(values, axis=0))
    problems = {
        "values that are not finite": int((~np.isfinite(values)).sum()),
        "values beyond float32": int((np.abs(values) > np.finfo(np.float32).max).sum()),
        "constant columns": int((np.ptp(values, axis=0) == 0).sum()),
        "duplicated rows": duplicated,
        "repeated names": columns - len(set(dataset.names)),
        "missing classes": 2 - len(np.unique(labels)),
        "rows without a label": rows - len(labels),
    }
    found = {problem: count for problem, count in problems.items() if count}
    if found:
        raise DataError(f"data audit failed: {found}")
    classes, counts = np.unique(labels, return_counts=True)
    return {
        "sha256": dataset.sha256,
        "rows": rows,
        "features": columns,
        "classes": {str(name): int(count) for name, count in zip(classes, counts, strict=True)},
        "checked": dict.fromkeys(problems, "none"),
        "ranges": {
            name: {"min": float(column.min()), "max": float(column.max())}
            for name, column in zip(dataset.names, values.T, strict=True)
        },
    }


def split(dataset: Dataset, *, evaluation_share: float, seed: int) -> Split:
    """Split the rows with the same class shares on both sides."""
    training, evaluation = train_test_split(
        np.arange(len(dataset.labels)),
        test_size=evaluation_share,
        random_state=seed,
        stratify=dataset.labels,
    )
    return Split(training=np.sort(training), evaluation=np.sort(evaluation))
