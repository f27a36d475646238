"""Exports the folded model to ONNX."""

import numpy as np
import onnx
from numpy.typing import NDArray
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.pipeline import Pipeline

from reference_service.pipeline.breast_cancer.folding import cut_points, folded
from reference_service.pipeline.declaration import ModelIdentity
from reference_service.pipeline.errors import ParityError
from reference_service.pipeline.recipe import INPUT, LABEL, PROBABILITIES, Values

OPSETS = {"": 18, "ai.onnx.ml": 3}


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


def edges(pipeline: Pipeline, values: Values) -> NDArray[np.float64]:
    """Build rows that sit on a split's threshold, and on the next float32 beyond it."""
    rows = []
    for number, (column, threshold) in enumerate(cut_points(folded(pipeline))):
        for value in (np.float32(threshold), np.nextafter(np.float32(threshold), np.float32(np.inf))):
            row = values[number % len(values)].copy()
            row[column] = value
            rows.append(row)
    return np.asarray(rows)
