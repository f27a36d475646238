"""What is special to one model. Everything else of the pipeline is the same for all."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from reference_service.model.inputs import FeaturesInput, TensorInput
from reference_service.pipeline.declaration import Declaration, ModelIdentity

Values = NDArray[Any]
Labels = NDArray[np.str_]

INPUT, LABEL, PROBABILITIES = "features", "label", "probabilities"
"""Names of the exported model's tensors."""


def library_versions(*own: str) -> dict[str, str]:
    """Return the versions of what every model is made with, and of a recipe's own distributions."""
    common = ("numpy", "onnx", "onnxruntime", "scikit-learn")
    python = ".".join(platform.python_version_tuple()[:2])
    return {"python": python} | {name: metadata.version(name) for name in (*common, *own)}


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """All rows: `values` of shape [rows, ...], `labels` of shape [rows].

    `columns` are the parts of `values` that the audit looks at one by one. `digest` is the SHA-256 of names,
    values and labels.
    """

    name: str
    source: str
    columns: Mapping[str, Values]
    values: Values
    labels: Labels
    digest: str


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Answers for rows: `labels` of shape [rows], float64 `probabilities` of shape [rows, classes]."""

    labels: Labels
    probabilities: NDArray[np.float64]


class Trained(Protocol):
    """A trained model."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels, in the order of the probabilities."""

    def answers(self, values: Values) -> Answers:
        """Answer rows as precisely as the training library can."""

    def export(self, identity: ModelIdentity) -> bytes:
        """Return a serialised ONNX model.

        Its input is `features`, [batch, ...], of a type that an artifact may declare; its outputs are
        `probabilities`, float32, [batch, classes], and, unless the largest of those tells, `label`, string,
        [batch].
        """

    def parity_rows(self, values: Values) -> Values:
        """Return the rows on which the exported model must agree: at least those given."""


class Recipe(Protocol):
    """How one model is made."""

    @property
    def algorithm(self) -> str:
        """What is trained, in a line."""

    @property
    def preprocessing(self) -> tuple[str, ...]:
        """What happens to a value before the model computes with it."""

    @property
    def libraries(self) -> dict[str, str]:
        """What the model is made with, and its version."""

    def load(self) -> Dataset:
        """Load the data."""

    def fit(self, values: Values, labels: Labels, parameters: dict[str, int | float], seed: int) -> Trained:
        """Train on these rows alone.

        Raises:
            DeclarationError: There is no such parameter, or it has no such value.
        """

    def measure(self, classes: tuple[str, ...], answers: Answers, labels: Labels) -> dict[str, float]:
        """Measure answers for rows that were not trained on."""

    def describe(
        self, dataset: Dataset, training: NDArray[np.int64], declaration: Declaration
    ) -> FeaturesInput | TensorInput:
        """Describe the model's input, with the ranges of the training rows.

        Raises:
            DeclarationError: A column is not described.
        """

    def encode(self, dataset: Dataset, row: int, *, compact: bool) -> Any:
        """Write a row as a request's JSON has it; `compact` where there is a choice."""
