"""``golden.batch``: the same cases, several to a request; the answers in number and order of the inputs."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from harness.checks.golden.asking import Answer, ask_all
from harness.checks.golden.evidence import BatchEvidence, BatchRecord, RecordedRequest, evidence_path
from harness.checks.golden.golden_set import load_golden_set, open_golden_set
from harness.checks.golden.judge import crossed, judge_cases, wrong_cases
from harness.checks.golden.limits import GoldenLimits
from harness.checks.golden.payloads import batch_requests
from harness.checks.golden.reading import record
from harness.checks.golden.records import CaseRecord, RecordFile
from harness.checks.golden.settings import BatchTemplate, GoldenSettings
from harness.checks.golden.wire import json_type
from harness.checks.interface import CheckContext, Stage
from harness.config.suite import Suite
from harness.model import Capability, Family, Finding, Outcome
from harness.pointer import PointerError, resolve


class GoldenBatch:
    """Asks the cases in batches."""

    id: ClassVar[str] = "golden.batch"
    family: ClassVar[Family] = Family.GOLDEN
    stage: ClassVar[Stage] = Stage.SHARED
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[BatchEvidence]] = BatchEvidence

    def applies(self, settings: GoldenSettings) -> bool:
        """Whether the suite declares how to ask for a batch."""
        return settings.batch is not None

    def verify_inputs(self, suite: Suite, settings: GoldenSettings) -> None:
        """Read the golden set.

        Raises:
            ConfigError: when it is wrong.
        """
        load_golden_set(suite, settings)

    def collect(self, context: CheckContext, settings: GoldenSettings) -> BatchEvidence:
        """Ask every case, in batches.

        Raises:
            ConfigError: when the golden set is wrong.
            TargetError: when the candidate died.
            ValueError: when the settings have no batch; see :meth:`applies`.
        """
        batch = settings.batch
        if batch is None:
            raise ValueError("the suite declares no batch")
        golden = open_golden_set(context.suite, settings)
        batches: list[BatchRecord] = []
        executed = 0

        def records() -> Iterator[CaseRecord]:
            nonlocal executed
            requests = batch_requests(context.suite, batch, golden.cases, context.credentials)
            done = 0
            for chunk, _, answer in ask_all(context.candidate, requests, settings):
                answers, answered = split(answer, batch, len(chunk))
                batches.append(BatchRecord(first=done, asked=len(chunk), answered=answered))
                done += len(chunk)
                executed += len(chunk) if answer.answered else 0
                context.progress(done, len(golden.cases))
                for case, item in zip(chunk, answers, strict=True):
                    yield record(case, item, settings)

        written = RecordFile.write(context.folder, records(), context.credentials.redact)
        return BatchEvidence(
            expected=len(golden.cases),
            executed=executed,
            header=golden.header,
            outputs=settings.outputs,
            closed=settings.ignored is not None,
            device=context.candidate.description.device,
            execution_provider=context.candidate.description.execution_provider,
            request=RecordedRequest.of(batch, context),
            cases=written,
            batches=tuple(batches),
        )

    def judge(self, evidence: BatchEvidence, limits: GoldenLimits) -> Sequence[Finding]:
        """The findings of the cases, and one for the number and order of the items."""
        held = evidence.limits(limits)
        return [*judge_cases(self.id, evidence, held), _items(self.id, evidence, held)]


def split(answer: Answer, batch: BatchTemplate, asked: int) -> tuple[list[Answer], int | None]:
    """One answer for each case of a batch, and how many items came.

    Another number of items than was asked leaves no item that is known to belong to a case.
    """
    if answer.problem:
        return [answer] * asked, None
    try:
        items: Any = resolve(answer.document, batch.items)
    except PointerError as error:
        return [Answer(answered=True, problem=str(error))] * asked, None
    if not isinstance(items, list):
        problem = f"{json_type(items)} instead of an array at {batch.items!r}"
        return [Answer(answered=True, problem=problem)] * asked, None
    if len(items) != asked:
        return [Answer(answered=True, problem=f"{len(items)} items for {asked} cases")] * asked, len(items)
    return [Answer(answered=True, document=item) for item in items], asked


def _items(check_id: str, evidence: BatchEvidence, limits: GoldenLimits) -> Finding:
    """Whether each batch came back with as many items as cases, each in its case's place."""
    miscounted = [batch for batch in evidence.batches if batch.answered not in (None, batch.asked)]
    misplaced: list[str] = []
    for batch in evidence.batches:
        cases = evidence.cases[batch.first : batch.first + batch.asked]
        wrong_ones = list(wrong_cases(cases, evidence, limits))
        misplaced += filter(None, [crossed(cases, wrong_ones, evidence, limits)])
    wrong = len(miscounted) + len(misplaced)
    counted = sum(batch.answered is not None for batch in evidence.batches)
    outcome = Outcome.FAIL if wrong else Outcome.PASS
    if miscounted:
        first = miscounted[0]
        message = (
            f"{len(miscounted)} batches have another number of items; the one that starts with "
            f"{evidence.cases[first.first].id}: {first.answered} items for {first.asked} cases"
        )
    elif misplaced:
        message = f"{len(misplaced)} batches are out of order; {misplaced[0]}"
    elif counted < len(evidence.batches) or not counted:
        outcome = Outcome.INCONCLUSIVE
        message = f"only {counted} of {len(evidence.batches)} batches have items to count"
    else:
        message = f"{counted} batches have their items in number and order"
    return Finding(
        id=f"{check_id}.items",
        outcome=outcome,
        message=message,
        observed=wrong,
        limit=0,
        unit="batches",
        samples=counted,
        evidence=evidence_path(check_id),
    )
