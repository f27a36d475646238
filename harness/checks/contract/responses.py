"""``contract.responses``: every documented status is provoked, and each answer is one that is documented."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, ClassVar

import httpx

from harness.checks.contract.fetch import fetch
from harness.checks.contract.frozen import KEY, frozen_document
from harness.checks.contract.provoking import Headers, PlanError, Provocation, plan
from harness.checks.contract.responses_evidence import Exchange, ResponsesEvidence
from harness.checks.contract.responses_judging import judge_responses
from harness.checks.contract.settings import ContractLimits, ContractSettings, ResponsesSettings
from harness.checks.golden.golden_set import open_golden_set
from harness.checks.interface import CheckContext, Stage
from harness.checks.patience import Patience
from harness.config.suite import Suite
from harness.errors import ConfigError, TargetError
from harness.http_exchange import exchange, http_client
from harness.http_request import Request
from harness.model import Capability, Family, Finding
from harness.openapi.answers import documented_operations

_BATCH = 2
MOST_KEPT_CHARACTERS = 64 * 1024 * 1024
"""Of all answers together: each may be as long as a suite allows one to be."""


class ContractResponses:
    """Sends its requests one after the other to a candidate of its own: some of them use up a quota."""

    id: ClassVar[str] = "contract.responses"
    family: ClassVar[Family] = Family.CONTRACT
    stage: ClassVar[Stage] = Stage.FRESH
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[ResponsesEvidence]] = ResponsesEvidence

    def applies(self, settings: ContractSettings) -> bool:
        """Whether the suite declares valid requests."""
        return settings.responses is not None

    def verify_inputs(self, suite: Suite, settings: ContractSettings) -> None:
        """Plan all requests.

        Raises:
            ConfigError: the document is wrong, or the requests do not fit it.
        """
        if settings.responses is not None:
            _plan(suite, settings, settings.responses, lambda _credential: {})

    def collect(self, context: CheckContext, settings: ContractSettings) -> ResponsesEvidence:
        """Send all requests.

        Raises:
            ConfigError: as :meth:`verify_inputs`.
            TargetError: the candidate died.
        """
        declared = settings.responses
        if declared is None:
            raise ConfigError(file=context.suite.path, key="contract.responses", problem="section is missing")
        frozen, planned = _plan(context.suite, settings, declared, context.credentials.headers)
        headers = {"Accept": "application/json", **context.credentials.headers(settings.credential)}
        served = fetch(
            context.candidate, Request("GET", settings.served, headers), timeout_s=settings.timeout_s
        )
        exchanges: list[Exchange] = []
        answered = kept = 0
        patience = Patience()
        with http_client(context.candidate.base_url, keep_alive=False) as client:
            for done, provocation in enumerate(planned, start=1):
                has_answer = False
                for each in _provoke(client, provocation, declared, context, patience):
                    kept += len(each.body)
                    exchanges.append(each if kept <= MOST_KEPT_CHARACTERS else _without_body(each))
                    has_answer = has_answer or each.status is not None
                answered += has_answer
                context.progress(done, len(planned))
        return ResponsesEvidence(
            expected=len(planned),
            executed=answered,
            frozen=json.dumps(frozen),
            served=served,
            declared=declared,
            exchanges=tuple(exchanges),
        )

    def judge(self, evidence: ResponsesEvidence, _limits: ContractLimits) -> Sequence[Finding]:
        """One finding for each way in which answers and document differ, and one that sums up."""
        return judge_responses(self.id, evidence)


def _plan(
    suite: Suite, settings: ContractSettings, declared: ResponsesSettings, headers: Headers
) -> tuple[Mapping[str, Any], list[Provocation]]:
    path = suite.resolve(settings.openapi, key=KEY)
    frozen = frozen_document(path)
    try:
        return frozen, plan(documented_operations(frozen), declared, _values(suite), headers)
    except PlanError as error:
        raise ConfigError(
            file=suite.path,
            key=f"contract.responses.{error.key}",
            problem=str(error),
            allowed=f"what fits {path}",
        ) from error


def _values(suite: Suite) -> dict[str, Any]:
    golden = suite.config.golden
    if golden is None:
        return {}
    inputs = [case.input for case in islice(open_golden_set(suite, golden).cases, _BATCH)]
    return {"input": inputs[0], "inputs": inputs}


def _without_body(exchange: Exchange) -> Exchange:
    problem = f"more than {MOST_KEPT_CHARACTERS} characters in all answers together"
    return exchange.model_copy(update={"body": "", "problem": problem})


def _provoke(
    client: httpx.Client,
    provocation: Provocation,
    declared: ResponsesSettings,
    context: CheckContext,
    patience: Patience,
) -> Iterator[Exchange]:
    """The answers up to the one that was wanted; none once the patience is over."""
    request = provocation.whole()
    again = provocation.command(context.candidate.base_url, context.credentials.redact)
    for _ in range(provocation.times):
        if patience.over:
            return
        found = Exchange(operation=provocation.operation, wanted=provocation.status, reproduce=again)
        try:
            answer = exchange(
                client,
                request,
                timeout_s=declared.timeout_s,
                most_bytes=declared.most_answer_bytes,
            )
        except httpx.HTTPError as error:
            if not context.candidate.alive():
                raise TargetError(
                    f"it stopped at a request for {provocation.operation}", logs=context.candidate.logs()
                ) from error
            patience.note(answered=False)
            yield found.model_copy(update={"problem": f"{type(error).__name__}: {error}"})
            return
        seen = {
            "status": answer.status,
            "media_type": answer.headers.get("content-type", ""),
            "headers": tuple(name.lower() for name in answer.headers),
            "body": answer.body.decode("utf-8", "backslashreplace"),
            "problem": f"more than {declared.most_answer_bytes} bytes" if answer.truncated else "",
        }
        yield Exchange.model_validate(found.model_dump() | seen)
        if answer.status == provocation.status:
            return
