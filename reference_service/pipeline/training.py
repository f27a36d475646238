"""Fits one pipeline (float32 cast, scaler, gradient boosting) and judges it by the declared bar."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import brier_score_loss, precision_score, recall_score, roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from reference_service.model.manifest import Criterion
from reference_service.pipeline.data import Labels, Matrix
from reference_service.pipeline.declaration import Bar, DeclarationError

POSITIVE = "malignant"


class RejectedModelError(Exception):
    """The trained model misses its acceptance bar."""


def as_float32(values: Matrix) -> NDArray[np.float32]:
    """Round to the nearest float32: what the served model gets, so training gets the same."""
    return np.asarray(values, dtype=np.float32)


def fit(values: Matrix, labels: Labels, parameters: dict[str, int | float], seed: int) -> Pipeline:
    """Fit the pipeline on the training rows alone.

    Args:
        values: Shape [rows, features], float64.
        labels: Shape [rows].
        parameters: Keyword arguments of `GradientBoostingClassifier`.
        seed: Its random state.

    Raises:
        DeclarationError: The classifier does not take the parameters.
    """
    try:
        classifier = GradientBoostingClassifier(random_state=seed, **parameters)
        pipeline = Pipeline(
            [
                ("float32", FunctionTransformer(as_float32)),
                ("scaler", StandardScaler()),
                ("classifier", classifier),
            ]
        )
        return pipeline.fit(values, labels)
    except (TypeError, ValueError) as error:  # of the name of a parameter, and of its value
        raise DeclarationError(f"parameters: {error}") from error


def evaluate(pipeline: Pipeline, values: Matrix, labels: Labels) -> dict[str, float]:
    """Measure the pipeline on rows it has not seen; values are rounded to six decimals."""
    positive = labels == POSITIVE
    predicted = pipeline.predict(values) == POSITIVE
    probability = pipeline.predict_proba(values)[:, list(pipeline.classes_).index(POSITIVE)]
    measured = {
        "malignant_recall": recall_score(positive, predicted),
        "malignant_precision": precision_score(positive, predicted),
        "roc_auc": roc_auc_score(positive, probability),
        "brier_score": brier_score_loss(positive, probability),
    }
    return {metric: round(float(value), 6) for metric, value in measured.items()}


def accept(measured: dict[str, float], bars: Sequence[Bar]) -> tuple[Criterion, ...]:
    """Hold the measured metrics against the declared bar.

    Raises:
        RejectedModelError: A criterion is missed, or names a metric that is not measured.
    """
    unknown = {bar.metric for bar in bars} - measured.keys()
    if unknown:
        raise RejectedModelError(f"the bar names metrics that are not measured: {sorted(unknown)}")
    missed = [
        f"{bar.metric} = {measured[bar.metric]}, declared {bar.comparison} {bar.limit}"
        for bar in bars
        if not bar.met_by(measured[bar.metric])
    ]
    if missed:
        raise RejectedModelError("acceptance bar missed: " + "; ".join(missed))
    return tuple(Criterion(**bar.model_dump(), observed=measured[bar.metric]) for bar in bars)
