"""What is declared before training: the model, its parameters, its acceptance bar and its budget."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from reference_service.documents import Part, SemVer, Sha256
from reference_service.model.manifest import Budget, ModelName, Serving
from reference_service.pipeline.errors import DeclarationError
from reference_service.problems import first_problem


class ModelIdentity(Part):
    """What the artifact is called, and the inputs that make a rerun repeat it."""

    name: ModelName
    version: SemVer
    description: str
    date: Annotated[date, Field(strict=True)]
    seed: int
    evaluation_share: float = Field(gt=0, lt=1)


class DeclaredDataset(Part):
    """The data that the model is made of, and of no other."""

    sha256: Sha256


class Bar(Part):
    """One criterion that the evaluation must meet."""

    metric: str
    comparison: Literal["at_least", "at_most"]
    limit: float

    def met_by(self, observed: float) -> bool:
        """Tell whether an observed value of the metric clears the bar."""
        return observed >= self.limit if self.comparison == "at_least" else observed <= self.limit


class GoldenRows(Part):
    """Which rows become golden cases."""

    rows: Literal["all", "evaluation"]


class Measurement(Part):
    """What one measured quantity means, and its unit."""

    meaning: str
    unit: str


class Declaration(Part):
    """The content of a `declaration.toml`."""

    model: ModelIdentity
    dataset: DeclaredDataset
    parameters: dict[str, int | float]
    acceptance: tuple[Bar, ...] = Field(min_length=1)
    golden: GoldenRows
    serving: Serving
    budget: Budget
    measurements: dict[str, Measurement]


def declaration_of(model: str) -> Path:
    """Return where the declaration of a model is."""
    return Path(__file__).parent / model.replace("-", "_") / "declaration.toml"


def read_declaration(path: Path) -> Declaration:
    """Read and validate the declaration.

    Raises:
        DeclarationError: It can't be read, or declares something else than it should.
    """
    try:
        return Declaration.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise DeclarationError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        raise DeclarationError(f"{path}: {first_problem(error)}") from error
    except ValueError as error:
        raise DeclarationError(f"{path}: not TOML: {error}") from error
