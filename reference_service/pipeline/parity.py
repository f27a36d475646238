"""Proves that the exported model answers as the trained one does."""

from collections.abc import Sequence

import numpy as np
import onnxruntime

from reference_service.model.inputs import TensorType
from reference_service.pipeline.errors import ParityError
from reference_service.pipeline.recipe import INPUT, LABEL, PROBABILITIES, Answers, Trained, Values

ATOL = 1e-5


def has_label(model: bytes) -> bool:
    """Tell whether an exported model labels its rows itself."""
    return _has_label(_session(model))


def ask(model: bytes, values: Values, dtype: TensorType, classes: Sequence[str]) -> Answers:
    """Answer rows with an exported model; without a label of its own, the largest probability gives it."""
    session = _session(model)
    outputs = [PROBABILITIES, *([LABEL] if _has_label(session) else [])]
    probabilities, *labels = session.run(outputs, {INPUT: np.asarray(values, dtype=dtype)})
    chosen = labels[0] if labels else np.asarray(classes)[probabilities.argmax(axis=1)]
    return Answers(labels=np.asarray(chosen, dtype=np.str_), probabilities=probabilities.astype(np.float64))


def _session(model: bytes) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])


def _has_label(session: onnxruntime.InferenceSession) -> bool:
    return LABEL in [output.name for output in session.get_outputs()]


def check_parity(trained: Trained, model: bytes, values: Values, dtype: TensorType) -> tuple[int, float]:
    """Compare both on every row given, and on those that the trained model adds.

    Returns:
        The number of rows, and the largest absolute difference of a probability.

    Raises:
        ParityError: A label differs, or a probability by more than 1e-5.
    """
    rows = trained.parity_rows(values)
    expected, exported = trained.answers(rows), ask(model, rows, dtype, trained.classes)
    difference = np.abs(expected.probabilities - exported.probabilities).max(axis=1)
    wrong = np.flatnonzero((difference > ATOL) | (expected.labels != exported.labels))
    if wrong.size:
        first = wrong[0]
        raise ParityError(f"{wrong.size} of {len(rows)} rows differ, row {first} by {difference[first]}")
    return len(rows), float(difference.max())
