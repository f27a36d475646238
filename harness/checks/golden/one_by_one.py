"""Asks golden cases, each in a request of its own, and records what came back."""

from collections.abc import Sequence

from harness.checks.golden.asking import ask_all
from harness.checks.golden.evidence import GoldenEvidence, RecordedRequest
from harness.checks.golden.golden_set import Case, GoldenHeader
from harness.checks.golden.payloads import single_requests
from harness.checks.golden.reading import record
from harness.checks.golden.settings import GoldenSettings
from harness.checks.interface import CheckContext


def ask_one_by_one(
    context: CheckContext, settings: GoldenSettings, header: GoldenHeader, cases: Sequence[Case]
) -> GoldenEvidence:
    """The evidence of asking ``cases`` in their order, ``settings.connections`` at a time.

    Raises:
        ConfigError: for a body template that cannot be filled.
        TargetError: when the candidate died.
    """
    requests = single_requests(context.suite, settings, cases, context.credentials)
    records = []
    executed = 0
    answers = ask_all(context.candidate, requests, settings)
    # The answers come first: only at their end do they tell whether the service died.
    for answer, case, request in zip(answers, cases, requests, strict=False):
        body = (request.body or b"").decode()
        records.append(record(case, answer, settings.outputs, body=body))
        executed += answer.answered
        context.progress(len(records), len(requests))
    return GoldenEvidence(
        expected=len(cases),
        executed=executed,
        header=header,
        outputs=settings.outputs,
        request=RecordedRequest.of(settings.single, context),
        cases=tuple(records),
    )
