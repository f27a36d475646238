"""Exports the folded model to ONNX and proves that it answers as the pipeline does."""

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.pipeline import Pipeline

from reference_service.pipeline.data import Matrix
from reference_service.pipeline.declaration import ModelIdentity
from reference_service.pipeline.folding import cut_points, folded
from reference_service.pipeline.training import as_float32

INPUT, LABEL, PROBABILITIES = "features", "label", "probabilities"
ATOL = 1e-5
OPSETS = {"": 18, "ai.onnx.ml": 3}


class ParityError(Exception):
    """The exported model and the pipeline disagree."""


def export(pipeline: Pipeline, identity: ModelIdentity) -> bytes:
    """Convert the pipeline to a serialised ONNX model.

    Input `features`: float32, [batch, features], unscaled. Outputs `label`: string, [batch], and
    `probabilities`: float32, [batch, classes], classes in the pipeline's order.
    """
    classifier = folded(pipeline)
    model = convert_sklearn(
        classifier,
        name=identity.name,
        initial_types=[(INPUT, FloatTensorType([None, classifier.n_features_in_]))],
        options={id(classifier): {"zipmap": False}},
        target_opset=OPSETS,
    )
    model.producer_name = "reference_service.pipeline"
    model.producer_version = identity.version
    model.domain = ""
    model.doc_string = identity.description
    # The converter lists its opsets in hash order, which differs from run to run.
    opsets = sorted(model.opset_import, key=lambda opset: opset.domain)
    del model.opset_import[:]
    model.opset_import.extend(opsets)
    for output, name in zip(model.graph.output, (LABEL, PROBABILITIES), strict=True):
        if output.name != name:
            raise ParityError(f"exported output is called {output.name!r}, not {name!r}")
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def check_parity(pipeline: Pipeline, model: bytes, values: Matrix) -> float:
    """Compare both on every row given and on rows at both sides of every split.

    Returns:
        The largest absolute difference of a probability.

    Raises:
        ParityError: A label differs, or a probability by more than 1e-5.
    """
    rows = np.vstack([values, _edges(folded(pipeline), values)])
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    labels, probabilities = session.run([LABEL, PROBABILITIES], {INPUT: as_float32(rows)})
    difference = np.abs(pipeline.predict_proba(rows) - probabilities).max(axis=1)
    wrong = np.flatnonzero((difference > ATOL) | (pipeline.predict(rows) != labels))
    if wrong.size:
        first = wrong[0]
        raise ParityError(f"{wrong.size} of {len(rows)} rows differ, row {first} by {difference[first]}")
    return float(difference.max())


def answers(model: bytes, values: NDArray[np.float32]) -> NDArray[np.str_]:
    """Return the exported model's label for each row."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return np.asarray(session.run([LABEL], {INPUT: values})[0], dtype=np.str_)


def _edges(classifier: GradientBoostingClassifier, values: Matrix) -> NDArray[np.float64]:
    """Build rows that sit on a split's threshold, and on the next float32 beyond it."""
    rows = []
    for number, (column, threshold) in enumerate(cut_points(classifier)):
        for value in (np.float32(threshold), np.nextafter(np.float32(threshold), np.float32(np.inf))):
            row = values[number % len(values)].copy()
            row[column] = value
            rows.append(row)
    return np.asarray(rows)
