"""``contract.openapi``: the OpenAPI document that the candidate serves, against the frozen one."""

import json
from collections.abc import Sequence
from typing import ClassVar

from harness.checks.contract.fetch import Served, fetch
from harness.checks.contract.frozen import KEY, frozen_document
from harness.checks.contract.judging import SERVED, ContractEvidence, judge_documents, served_document
from harness.checks.contract.settings import ContractLimits, ContractSettings
from harness.checks.interface import CheckContext, Stage
from harness.config.suite import Suite
from harness.http_request import Request
from harness.model import Capability, Family, Finding
from harness.openapi import OpenAPIError, operation_names
from harness.reproduce import curl


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
        frozen_document(suite.resolve(settings.openapi, key=KEY))

    def collect(self, context: CheckContext, settings: ContractSettings) -> ContractEvidence:
        """Ask for the served document.

        Raises:
            ConfigError: the frozen document is wrong.
            TargetError: the candidate died.
        """
        path = context.suite.resolve(settings.openapi, key=KEY)
        frozen = frozen_document(path)
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


def _is_comparable(served: Served) -> bool:
    try:
        operation_names(served_document(served), name=SERVED)
    except (ValueError, OpenAPIError):
        return False
    return True
