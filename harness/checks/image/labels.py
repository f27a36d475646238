"""``image.labels``: what the image says of itself, held against what the running service says it serves."""

from collections.abc import Sequence
from typing import ClassVar

from harness.checks.image.settings import ImageLimits, ImageSettings
from harness.checks.interface import CheckContext, Evidence, Stage
from harness.config.suite import Suite
from harness.errors import InfrastructureError
from harness.model import Capability, Family, Finding, Outcome, Utf8Text
from harness.template import TemplateError, fill

MOST_LABEL = 300


class LabelEvidence(Evidence):
    """The labels, and what they are held against.

    Attributes:
        labels: As the image has them, values cut at 300 characters.
        served: Name and version of the model that the running service says it serves.
    """

    labels: dict[Utf8Text, Utf8Text]
    served: dict[str, Utf8Text]


class ImageLabels:
    """Asks the engine for the labels; the runner has asked the service."""

    id: ClassVar[str] = "image.labels"
    family: ClassVar[Family] = Family.IMAGE
    stage: ClassVar[Stage] = Stage.SHARED
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.CONTAINER})
    evidence: ClassVar[type[LabelEvidence]] = LabelEvidence

    def applies(self, settings: ImageSettings) -> bool:
        """Whether a label is asked for."""
        return bool(settings.limits.labels)

    def verify_inputs(self, suite: Suite, settings: ImageSettings) -> None:
        """It reads no files of the suite."""

    def collect(self, context: CheckContext, _settings: ImageSettings) -> LabelEvidence:
        """Take what is known already.

        Raises:
            InfrastructureError: there is no image.
        """
        image = context.candidate_image
        if image is None:
            raise InfrastructureError("only a container has an image")
        named = {"model.name": context.model.name, "model.version": context.model.version}
        return LabelEvidence(
            expected=1,
            executed=1,
            labels={key: str(value)[:MOST_LABEL] for key, value in image.labels.items()},
            served={name: value for name, value in named.items() if value is not None},
        )

    def judge(self, evidence: LabelEvidence, limits: ImageLimits) -> Sequence[Finding]:
        """One finding for each label that is asked for."""
        return [_finding(evidence, label, wanted) for label, wanted in limits.labels.items()]


def _finding(evidence: LabelEvidence, label: str, wanted: str) -> Finding:
    try:
        value = fill(wanted, evidence.served)
    except TemplateError:
        value = None
    found = evidence.labels.get(label, "")
    problem = ""
    if not found:
        problem = f"label {label} is missing"
    elif value is None:
        problem = f"label {label} is {found!r}, and the service does not say what it should be"
    elif wanted and found != value:
        problem = f"label {label} is {found!r}, it has to be {value!r}"
    return Finding(
        id=f"image.labels.{label}",
        outcome=Outcome.FAIL if problem else Outcome.PASS,
        message=problem or f"label {label} is {found!r}",
        observed=found,
        limit=value or "any value",
        samples=1,
    )
