"""Proves that the exported model answers as the trained one does."""

import numpy as np
import onnxruntime

from reference_service.model.manifest import TensorType
from reference_service.pipeline.errors import ParityError
from reference_service.pipeline.recipe import INPUT, LABEL, PROBABILITIES, Answers, Trained, Values

ATOL = 1e-5


def ask(model: bytes, values: Values, dtype: TensorType) -> Answers:
    """Answer rows with an exported model."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    labels, probabilities = session.run([LABEL, PROBABILITIES], {INPUT: np.asarray(values, dtype=dtype)})
    return Answers(labels=np.asarray(labels, dtype=np.str_), probabilities=probabilities.astype(np.float64))


def check_parity(trained: Trained, model: bytes, values: Values, dtype: TensorType) -> tuple[int, float]:
    """Compare both on every row given, and on those that the trained model adds.

    Returns:
        The number of rows, and the largest absolute difference of a probability.

    Raises:
        ParityError: A label differs, or a probability by more than 1e-5.
    """
    rows = trained.parity_rows(values)
    expected, exported = trained.answers(rows), ask(model, rows, dtype)
    difference = np.abs(expected.probabilities - exported.probabilities).max(axis=1)
    wrong = np.flatnonzero((difference > ATOL) | (expected.labels != exported.labels))
    if wrong.size:
        first = wrong[0]
        raise ParityError(f"{wrong.size} of {len(rows)} rows differ, row {first} by {difference[first]}")
    return len(rows), float(difference.max())
