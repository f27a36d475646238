"""Gradient boosting on 30 named measurements: float32 cast, scaler, trees."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import brier_score_loss, precision_score, recall_score, roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from reference_service.model.inputs import Feature, FeaturesInput
from reference_service.pipeline.acceptance import calibration_error
from reference_service.pipeline.breast_cancer import export
from reference_service.pipeline.data import digest
from reference_service.pipeline.declaration import Declaration, Measurement, ModelIdentity
from reference_service.pipeline.errors import DeclarationError
from reference_service.pipeline.recipe import INPUT, Answers, Dataset, Labels, Values, library_versions

POSITIVE = "malignant"
STATISTICS = {"mean": "mean", "error": "standard error", "worst": "mean of the three largest"}


def as_float32(values: Values) -> NDArray[np.float32]:
    """Round to the nearest float32: what the served model gets, so training gets the same."""
    return np.asarray(values, dtype=np.float32)


@dataclass(frozen=True)
class TrainedTrees:
    """A fitted pipeline."""

    pipeline: Pipeline

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the pipeline's probabilities."""
        return tuple(str(name) for name in self.pipeline.classes_)

    def answers(self, values: Values) -> Answers:
        """Answer with float64 probabilities."""
        return Answers(
            labels=self.pipeline.predict(values), probabilities=self.pipeline.predict_proba(values)
        )

    def export(self, identity: ModelIdentity) -> bytes:
        """Export with the scaler folded into the trees."""
        return export.export(self.pipeline, identity)

    def parity_rows(self, values: Values) -> Values:
        """Add rows at both sides of every split, where a rounding difference would change the leaf."""
        return np.vstack([values, export.edges(self.pipeline, values)])


class BreastCancer:
    """How the tabular classifier is made."""

    algorithm = "StandardScaler, GradientBoostingClassifier"
    preprocessing = (
        "each value is rounded to the nearest float32",
        "standardisation is folded into the split thresholds: the model takes unscaled values",
    )
    libraries = library_versions("skl2onnx")

    def load(self) -> Dataset:
        """Load the data with snake_case feature names as columns, and class names as labels.

        The digest covers the names, then the values (little-endian float64, row-major), then the labels.
        """
        bunch = load_breast_cancer()
        names = [str(name).replace(" ", "_") for name in bunch.feature_names]
        values = np.ascontiguousarray(bunch.data, dtype="<f8")
        labels = np.asarray([str(bunch.target_names[code]) for code in bunch.target])
        return Dataset(
            name="breast-cancer-wisconsin-diagnostic",
            source="scikit-learn, load_breast_cancer",
            columns=dict(zip(names, values.T, strict=True)),
            values=values,
            labels=labels,
            digest=digest(["\n".join(names).encode(), values.tobytes(), "\n".join(labels).encode()]),
        )

    def fit(
        self, values: Values, labels: Labels, parameters: dict[str, int | float], seed: int
    ) -> TrainedTrees:
        """Fit the pipeline; the parameters are those of `GradientBoostingClassifier`."""
        try:
            classifier = GradientBoostingClassifier(random_state=seed, **parameters)
            steps = [
                ("float32", FunctionTransformer(as_float32)),
                ("scaler", StandardScaler()),
                ("classifier", classifier),
            ]
            return TrainedTrees(Pipeline(steps).fit(values, labels))
        except (TypeError, ValueError) as error:  # of the name of a parameter, and of its value
            raise DeclarationError(f"parameters: {error}") from error

    def measure(self, classes: tuple[str, ...], answers: Answers, labels: Labels) -> dict[str, float]:
        """Measure precision and recall of the malignant class, and the quality of its probability."""
        positive, predicted = labels == POSITIVE, answers.labels == POSITIVE
        probability = answers.probabilities[:, classes.index(POSITIVE)]
        return {
            "malignant_recall": recall_score(positive, predicted),
            "malignant_precision": precision_score(positive, predicted),
            "roc_auc": roc_auc_score(positive, probability),
            "brier_score": brier_score_loss(positive, probability),
            "calibration_error": calibration_error(answers.probabilities, labels == answers.labels),
        }

    def describe(
        self, dataset: Dataset, training: NDArray[np.int64], declaration: Declaration
    ) -> FeaturesInput:
        """Describe each column; its range is that of the training rows, as the model saw them (float32)."""
        return FeaturesInput(
            kind="features",
            name=INPUT,
            dtype="float32",
            shape=("batch", len(dataset.columns)),
            features=tuple(
                _feature(name, as_float32(column[training]), declaration.measurements)
                for name, column in dataset.columns.items()
            ),
        )

    def encode(self, dataset: Dataset, row: int, *, compact: bool) -> Any:
        """Name each value; there is no other form."""
        del compact
        return {name: float(column[row]) for name, column in dataset.columns.items()}


def _feature(name: str, values: NDArray[np.float32], measurements: dict[str, Measurement]) -> Feature:
    """Describe a column by the statistic and the quantity that its name is made of."""
    statistic = next(word for word in STATISTICS if word in name.split("_"))
    quantity = name.removeprefix(f"{statistic}_").removesuffix(f"_{statistic}")
    if quantity not in measurements:
        raise DeclarationError(f"measurements: nothing says what {quantity} means")
    described = measurements[quantity]
    return Feature(
        name=name,
        meaning=f"{described.meaning}; {STATISTICS[statistic]} over the nuclei of one image",
        unit=described.unit,
        training_min=float(values.min()),
        training_max=float(values.max()),
    )
