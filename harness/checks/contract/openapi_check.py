"""``contract.openapi``: the OpenAPI document that the candidate serves, against the frozen one."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from harness.checks.contract.fetch import Served, fetch
from harness.checks.contract.judging import SERVED, ContractEvidence, judge_documents, served_document
from harness.checks.contract.settings import ContractLimits, ContractSettings
from harness.checks.interface import CheckContext, Stage
from harness.config.suite import Suite
from harness.errors import ConfigError
from harness.http_request import Request
from harness.model import Capability, Family, Finding
from harness.openapi import OpenAPIError, diff, operation_names, read_document
from harness.reproduce import curl

_KEY = "contract.openapi"


class ContractOpenAPI:
    """Fetches one document, once."""

    id: ClassVar[str] = "contract.openapi"
    family: ClassVar[Family] = Family.CONTRACT
    stage: ClassVar[Stage] = Stage.SHARED
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[ContractEvidence]] = ContractEvidence

    def applies(self, _settings: ContractSettings) -> bool:
        """A suite with a contract section has a frozen document."""
        return True

    def verify_inputs(self, suite: Suite, settings: ContractSettings) -> None:
        """Read the frozen document, all of it.

        Raises:
            ConfigError: it cannot be read, is not OpenAPI, or has no operation.
        """
        _frozen(suite.resolve(settings.openapi, key=_KEY))

    def collect(self, context: CheckContext, settings: ContractSettings) -> ContractEvidence:
        """Ask for the served document.

        Raises:
            ConfigError: the frozen document is wrong.
            TargetError: the candidate died.
        """
        path = context.suite.resolve(settings.openapi, key=_KEY)
        frozen = _frozen(path)
        operations = operation_names(frozen)
        credential = context.credentials.headers(settings.credential)
        request = Request("GET", settings.served, {"Accept": "application/json", **credential})
        served = fetch(context.candidate, request, timeout_s=settings.timeout_s)
        context.progress(1, 1)
        shown_headers = context.credentials.shown_headers(settings.credential)
        command = curl(Request("GET", settings.served, shown_headers), context.candidate.base_url)
        # Without the headers that `-i` prints, the output is the document.
        command = command.replace(" -i", "", 1)
        return ContractEvidence(
            expected=len(operations),
            executed=len(operations) if _is_comparable(served) else 0,
            frozen=json.dumps(frozen),
            served=served,
            reproduce=f"{command} -o served.json && harness contract diff {path} served.json",
        )

    def judge(self, evidence: ContractEvidence, limits: ContractLimits) -> Sequence[Finding]:
        """One finding for each breaking change and warning, and one that sums up."""
        return judge_documents(self.id, evidence, limits)


def _frozen(path: Path) -> dict[str, Any]:
    """The frozen document, sound in every place that a comparison reaches."""
    document = read_document(path)
    try:
        diff(document, document, names=(str(path), str(path)))
        operations = operation_names(document)
    except OpenAPIError as error:
        raise ConfigError(
            file=path, key=error.pointer, problem=error.problem, allowed=error.allowed
        ) from error
    if not operations:
        raise ConfigError(file=path, key="/paths", problem="no operation to compare", allowed="at least one")
    return document


def _is_comparable(served: Served) -> bool:
    try:
        operation_names(served_document(served), name=SERVED)
    except (ValueError, OpenAPIError):
        return False
    return True
