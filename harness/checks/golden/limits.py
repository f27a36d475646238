"""``[golden.limits]``: how far outputs may be off; all that the golden judges read besides evidence."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from harness.checks.golden.quality.settings import QualityLimits
from harness.config.section import Limits, Section

NotNegative = Annotated[float, Field(ge=0)]


class Tolerance(Section):
    """How far one element may be off; the default is exact.

    An element passes when ``abs(observed - expected) <= atol + rtol * abs(expected)``, or when it is at most
    ``ulp`` values of the output's dtype away.

    Attributes:
        ulp: In units in the last place of the declared float dtype; None leaves it to ``atol`` and ``rtol``.
        source: Where the numbers come from, for the reviewer.
    """

    atol: NotNegative = 0.0
    rtol: NotNegative = 0.0
    ulp: Annotated[int, Field(ge=1)] | None = None
    source: str = ""

    @property
    def exact(self) -> bool:
        """Whether any difference is too much."""
        return self.atol == self.rtol == 0 and self.ulp is None

    def __str__(self) -> str:
        ulp = "" if self.ulp is None else f" or {self.ulp} ulp"
        return f"atol {self.atol:g}, rtol {self.rtol:g}{ulp}"


EXACT = Tolerance()


class ErrorLimits(Section):
    """How the errors of all elements of an output together may be distributed; None leaves one out.

    Attributes:
        bias: Of ``abs(mean(observed - expected))``, over all elements, and over those of each place alone.
        p50: Of the median of ``abs(observed - expected)``; likewise ``p99``, and ``max``.
        least: Fewer elements decide nothing.
        source: Where the numbers come from, for the reviewer.
    """

    bias: NotNegative | None = None
    p50: NotNegative | None = None
    p99: NotNegative | None = None
    max: NotNegative | None = None
    least: Annotated[int, Field(ge=1)] = 100
    source: str = ""


class ClassLimits(Section):
    """What an output of one score a class has to agree in.

    Attributes:
        tie_margin: Classes whose golden scores are no further apart may change places.
        top_k: The k best classes are those of the golden scores; None leaves it out.
        sums_to: What the scores of a row add up to; None leaves it out.
        sums_atol: How far off.
    """

    tie_margin: NotNegative = 0.0
    top_k: Annotated[int, Field(ge=1)] | None = None
    sums_to: float | None = None
    sums_atol: NotNegative = 0.0


class OutputLimits(Limits):
    """Limits by the name of an output; one that is not named is compared exactly.

    Attributes:
        outputs: Of an answer to the golden value.
        repeats: Of an answer to an earlier answer to the same case.
        errors: Of all answers together.
        classes: Of outputs that are scores of classes.
    """

    outputs: dict[str, Tolerance] = {}
    repeats: dict[str, Tolerance] = {}
    errors: dict[str, ErrorLimits] = {}
    classes: dict[str, ClassLimits] = {}


class OverriddenLimits(OutputLimits):
    """``[[golden.limits.overrides]]``: limits of some outputs for some pair of device and execution provider.

    Attributes:
        device: What the candidate was started on.
        provider: The execution provider that the candidate says it runs on.
        against: The execution provider that the golden values were made with, as their producer says.
    """

    device: Literal["cpu", "gpu"] | None = None
    provider: str | None = None
    against: str | None = None

    @model_validator(mode="after")
    def _for_something(self) -> Self:
        if self.device is None and self.provider is None and self.against is None:
            raise ValueError("names no device, provider or against, so it would hold for every run")
        return self

    def holds(self, device: str, provider: str | None, against: str | None) -> bool:
        """Whether each of the three is the one named here, or none is named."""
        asked = (self.device, device), (self.provider, provider), (self.against, against)
        return all(named in (None, given) for named, given in asked)


class GoldenLimits(OutputLimits):
    """``[golden.limits]``.

    Attributes:
        overrides: Replace the limits of the same outputs where they hold; a later one replaces an earlier.
        quality: Of the model on labelled cases.
    """

    overrides: tuple[OverriddenLimits, ...] = ()
    quality: QualityLimits | None = None

    def on(self, device: str, provider: str | None, against: str | None) -> Self:
        """The limits of one run, without overrides.

        Args:
            device: ``cpu`` or ``gpu``.
            provider: Of the candidate; None where it does not say.
            against: Of the golden values; None where they have none.
        """
        changed: dict[str, Any] = {"overrides": ()}
        for table in OutputLimits.model_fields:
            changed[table] = dict(getattr(self, table))
            for override in self.overrides:
                if override.holds(device, provider, against):
                    changed[table] |= getattr(override, table)
        return self.model_copy(update=changed)

    def tolerance(self, output: str) -> Tolerance:
        """The tolerance of an output."""
        return self.outputs.get(output, EXACT)

    def repeat_tolerance(self, output: str) -> Tolerance:
        """How far two answers to one case may be apart in an output."""
        return self.repeats.get(output, EXACT)
