"""The data, whatever they are: identified, audited, and split before anything is fitted."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from reference_service.model.inputs import RANGES, TensorType
from reference_service.pipeline.errors import DataError
from reference_service.pipeline.recipe import Dataset


@dataclass(frozen=True, kw_only=True)
class Split:
    """Row numbers of the two disjoint parts."""

    training: NDArray[np.int64]
    evaluation: NDArray[np.int64]


def digest(parts: Iterable[bytes]) -> str:
    """Return the SHA-256 of the parts, one after the other, in hexadecimal."""
    total = hashlib.sha256()
    for part in parts:
        total.update(part)
    return total.hexdigest()


def audit(dataset: Dataset, *, expected_sha256: str, dtype: TensorType) -> dict[str, object]:
    """Check the data and describe them: columns with type and range, class labels and their distribution.

    Args:
        dataset: All rows.
        expected_sha256: The digest that was declared.
        dtype: What the model takes.

    Raises:
        DataError: These are other data; values are missing or not finite; a column is constant; a row is
            duplicated (it could sit on both sides of the split); there is but one class.
    """
    if dataset.digest != expected_sha256:
        raise DataError(f"SHA-256 of the data is {dataset.digest}, declared is {expected_sha256}")
    values, labels = dataset.values, dataset.labels
    low, high = RANGES[dtype]
    problems = {
        "values that are not finite": int((~np.isfinite(values)).sum()),
        f"values beyond {dtype}": int(((values < low) | (values > high)).sum()),
        "constant columns": sum(int(np.ptp(column) == 0) for column in dataset.columns.values()),
        "duplicated rows": len(values) - len(np.unique(values, axis=0)),
        "missing classes": max(0, 2 - len(np.unique(labels))),
        "rows without a label": len(values) - np.count_nonzero(labels),
    }
    found = {problem: count for problem, count in problems.items() if count}
    if found:
        raise DataError(f"data audit failed: {found}")
    classes, counts = np.unique(labels, return_counts=True)
    return {
        "sha256": dataset.digest,
        "rows": len(values),
        "classes": {str(name): int(count) for name, count in zip(classes, counts, strict=True)},
        "checked": dict.fromkeys(problems, "none"),
        "columns": {
            name: {
                "dtype": str(column.dtype),
                "shape": list(column.shape[1:]),
                "min": column.min().item(),
                "max": column.max().item(),
            }
            for name, column in dataset.columns.items()
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
