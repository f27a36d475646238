"""What candidate and reference say of labelled cases."""

from harness.checks.golden.quality.settings import QualitySettings
from harness.checks.interface import Evidence
from harness.model import Model, Utf8Text

Label = bool | int | Utf8Text


class Answered(Model):
    """What one service says of one case.

    Attributes:
        label: The predicted one; None where there is a problem.
        score: The probability of the positive label; None where none is declared.
        problem: Why there is no prediction.
    """

    label: Label | None = None
    score: float | None = None
    problem: Utf8Text = ""


class Judged(Model):
    """One labelled case; ``reference`` is None where the run has none."""

    id: str
    label: Label
    candidate: Answered
    reference: Answered | None = None


class QualityEvidence(Evidence):
    """Evidence of ``golden.quality``.

    Attributes:
        quality: The declarations that the answers were read by.
        seed: Of the resampling.
        compared: Whether the run has a reference.
        cases: In the order of the file.
    """

    quality: QualitySettings
    seed: int
    compared: bool
    cases: tuple[Judged, ...]
