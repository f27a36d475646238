"""Where a model comes from, as its manifest records it: the data, the training, the acceptance bar."""

from typing import Literal

from pydantic import FiniteFloat, PositiveInt

from reference_service.documents import Part, Sha256


class Dataset(Part):
    """The data the model was trained and evaluated on."""

    name: str
    source: str
    sha256: Sha256
    rows: PositiveInt
    training_rows: PositiveInt
    evaluation_rows: PositiveInt


class Criterion(Part):
    """One line of the acceptance bar: declared before training, observed on the evaluation rows."""

    metric: str
    comparison: Literal["at_least", "at_most"]
    limit: FiniteFloat
    observed: FiniteFloat


class Training(Part):
    """How the model came to be."""

    algorithm: str
    seed: int
    parameters: dict[str, int | float | str]
    libraries: dict[str, str]
