"""What ``contract.manifest`` saw."""

from typing import Any

from harness.checks.contract.fetch import Served
from harness.checks.contract.settings import ManifestSettings
from harness.checks.interface import Evidence
from harness.config.service import MetadataSettings
from harness.model import Model, Utf8Text


class Predicted(Model):
    """One answer to golden inputs.

    Attributes:
        asked: Of which cases.
        problem: Why there is no answer to read; empty where there is.
        version: What stands at the pointer to the model version; None also where nothing does.
        items: Of each instance in it, what stands at the pointer of each output.
        reproduce: Shell command that asks again.
    """

    asked: str
    problem: Utf8Text = ""
    version: Any = None
    items: tuple[dict[str, Any], ...] = ()
    reproduce: str


class Asked(Model):
    """A request of the golden settings: where in the document it stands, and how it was answered.

    Attributes:
        items: Pointer to the array of results; None for a single request.
        version: Pointer to the model version in an answer.
    """

    method: str
    path: str
    items: str | None
    version: str
    answers: tuple[Predicted, ...]


class ManifestEvidence(Evidence):
    """The manifest, the frozen document, and answers.

    Attributes:
        metadata: Where the manifest has the model's name and version.
        declared: Where it has its tensors, and where requests and answers have them.
        sent: Value of each input in the bodies that were sent, by case.
    """

    frozen: str
    manifest: Served
    metadata: MetadataSettings
    declared: ManifestSettings
    single: Asked
    batch: Asked | None
    sent: dict[str, dict[str, Any]]
    reproduce: str
