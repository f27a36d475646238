"""What both services predicted for the same requests."""

from typing import Any

from harness.checks.drift.settings import PredictionSettings, SliceSettings
from harness.checks.interface import Evidence
from harness.model import Model, Utf8Text

Value = bool | int | float | Utf8Text


class Answered(Model):
    """What one service said to one request.

    Attributes:
        predictions: By name; empty when there is a problem.
        problem: Why there are none.
    """

    predictions: dict[str, Value] = {}
    problem: Utf8Text = ""


class Compared(Model):
    """One request and both answers.

    Attributes:
        id: ``line 7`` of the recording, or the golden case.
        slices: The values that put it into slices; a slice it has no value for is left out.
    """

    id: str
    slices: dict[str, Value]
    reference: Answered
    candidate: Answered


class DriftEvidence(Evidence):
    """Evidence of ``drift.predictions``.

    Attributes:
        source: What was asked.
        available: How many requests there were to choose from.
        seed: Of the sample and of the resampling.
        predictions: The declarations that the answers were read by; ``slices`` likewise.
        requests: In the order of the source.
    """

    source: str
    available: int
    seed: int
    predictions: dict[str, PredictionSettings]
    slices: dict[str, SliceSettings]
    requests: tuple[Compared, ...]


def value_at_most(value: Any, most_characters: int) -> Value | None:
    """A JSON value as evidence keeps it, None where it is none: null, an array or an object."""
    if isinstance(value, str):
        return value[:most_characters]
    return value if isinstance(value, bool | int | float) else None
