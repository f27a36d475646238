"""What is declared before training: the model, its parameters, its acceptance bar and its budget."""

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import Field

from reference_service.manifest import Budget, Part, SemVer

DECLARATION = Path(__file__).with_name("declaration.toml")


class ModelIdentity(Part):
    """What the artifact is called, and the inputs that make a rerun repeat it."""

    name: str
    version: SemVer
    description: str
    date: str
    seed: int
    evaluation_share: float = Field(gt=0, lt=1)


class Bar(Part):
    """One criterion that the evaluation must meet."""

    metric: str
    comparison: Literal["at_least", "at_most"]
    limit: float

    def met_by(self, observed: float) -> bool:
        """Tell whether an observed value of the metric clears the bar."""
        return observed >= self.limit if self.comparison == "at_least" else observed <= self.limit


class Measurement(Part):
    """What one measured quantity means, and its unit."""

    meaning: str
    unit: str


class Declaration(Part):
    """The content of `declaration.toml`."""

    model: ModelIdentity
    parameters: dict[str, int | float]
    acceptance: tuple[Bar, ...] = Field(min_length=1)
    budget: Budget
    measurements: dict[str, Measurement]


def read_declaration(path: Path = DECLARATION) -> Declaration:
    """Read and validate the declaration."""
    return Declaration.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
