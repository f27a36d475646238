"""``[golden.quality]`` and ``[golden.limits.quality]``."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from harness.config.section import Limits, Section
from harness.config.service import Pointer

Share = Annotated[float, Field(ge=0, le=1)]
OF_A_CLASS = ("precision", "recall")
OF_A_SCORE = ("auc", "brier")


class Floor(Section):
    """A measure that is better the larger it is.

    Attributes:
        at_least: On the labelled set.
        margin: By how much it may be below the reference's on the same cases.
    """

    at_least: Share | None = None
    margin: Share | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.at_least is None and self.margin is None:
            raise ValueError("needs at_least, margin or both")
        return self


class Ceiling(Section):
    """A measure that is better the smaller it is.

    Attributes:
        at_most: On the labelled set.
        margin: By how much it may be above the reference's on the same cases.
    """

    at_most: Share | None = None
    margin: Share | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.at_most is None and self.margin is None:
            raise ValueError("needs at_most, margin or both")
        return self


class QualityLimits(Limits):
    """``[golden.limits.quality]``; a measure that is left out is not judged.

    Attributes:
        accuracy: Share of the cases with the right label.
        precision: Share of the cases said to be ``positive`` that are.
        recall: Share of the positive cases that are said to be.
        auc: Probability that a positive case scores above another.
        brier: Mean squared distance of the score to 1 for a positive case, to 0 for another.
        confidence: Of each bound of a difference.
        least: Fewer cases decide nothing.
    """

    accuracy: Floor | None = None
    precision: Floor | None = None
    recall: Floor | None = None
    auc: Floor | None = None
    brier: Ceiling | None = None
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    least: Annotated[int, Field(ge=1)] = 100

    @property
    def measures(self) -> dict[str, Floor | Ceiling]:
        """Those that are judged, by name."""
        named = {name: getattr(self, name) for name in ("accuracy", *OF_A_CLASS, *OF_A_SCORE)}
        return {name: limit for name, limit in named.items() if limit is not None}


class QualitySettings(Section):
    """``[golden.quality]``.

    Attributes:
        file: Labelled cases, in the folder of the golden set; one without an input has the input of the
            golden case of its id.
        label: Pointer into an answer, to the predicted label.
        positive: The label whose precision, recall, AUC and Brier score are measured.
        score: Pointer into an answer, to the probability of ``positive``.
    """

    file: str = "labelled.jsonl"
    label: Pointer
    positive: str | bool | int | None = None
    score: Pointer | None = None

    def require(self, limits: QualityLimits) -> None:
        """What the limits are of has to be declared.

        Raises:
            ValueError: when it is not, or when nothing is limited.
        """
        if not limits.measures:
            raise ValueError("quality is declared, and limits.quality has no measure")
        for names, value, key in ((OF_A_CLASS, self.positive, "positive"), (OF_A_SCORE, self.score, "score")):
            if value is None and (asked := [name for name in names if name in limits.measures]):
                raise ValueError(f"limits.quality.{asked[0]} needs quality.{key}")
        if self.score is not None and self.positive is None:
            raise ValueError("quality.score needs quality.positive: the label whose probability it is")
