"""Asks golden cases, each in a request of its own, and records what came back."""

from collections.abc import Iterable, Iterator

from harness.checks.golden.asking import ask_all
from harness.checks.golden.evidence import GoldenEvidence, RecordedRequest
from harness.checks.golden.golden_set import Case
from harness.checks.golden.header import GoldenHeader
from harness.checks.golden.payloads import single_requests
from harness.checks.golden.reading import record
from harness.checks.golden.records import CaseRecord, RecordFile
from harness.checks.golden.settings import GoldenSettings
from harness.checks.interface import CheckContext


def ask_one_by_one(
    context: CheckContext,
    settings: GoldenSettings,
    header: GoldenHeader,
    cases: Iterable[Case],
    expected: int,
) -> GoldenEvidence:
    """The evidence of asking ``cases`` in their order, ``settings.connections`` at a time.

    Args:
        expected: How many cases there are; they are read as they are asked.

    Raises:
        ConfigError: for a body template that cannot be filled, for a golden set that is wrong.
        TargetError: when the candidate died.
    """
    executed = 0

    def records() -> Iterator[CaseRecord]:
        nonlocal executed
        questions = single_requests(context.suite, settings, cases, context.credentials)
        asked = ask_all(context.candidate, questions, settings)
        for done, (case, request, answer) in enumerate(asked, start=1):
            executed += answer.answered
            context.progress(done, expected)
            yield record(case, answer, settings, body=(request.body or b"").decode())

    written = RecordFile.write(context.folder, records(), context.credentials.redact)
    return GoldenEvidence(
        expected=expected,
        executed=executed,
        header=header,
        outputs=settings.outputs,
        closed=settings.ignored is not None,
        device=context.candidate.description.device,
        execution_provider=context.candidate.description.execution_provider,
        request=RecordedRequest.of(settings.single, context),
        cases=written,
    )
