"""What the golden checks saw, whole enough to be judged again under other tolerances."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SkipValidation

from harness.checks.golden.header import GoldenHeader
from harness.checks.golden.limits import GoldenLimits
from harness.checks.golden.records import CaseRecord, RecordFile
from harness.checks.golden.settings import OutputSettings
from harness.checks.interface import EVIDENCE_FILE, CheckContext, Evidence
from harness.http_request import Request, RequestTemplate, build
from harness.model import Model, Utf8Text
from harness.reproduce import curl


class RecordedRequest(Model):
    """What the requests of all cases have in common, secrets replaced by shell variables."""

    base_url: str
    method: str
    path: str
    headers: dict[str, str]

    @classmethod
    def of(cls, template: RequestTemplate, context: CheckContext) -> Self:
        """What ``template`` asks of the candidate."""
        shown = context.credentials.shown_headers(template.credential)
        asked = build(template, {"input": None, "inputs": None}, shown)
        return cls(
            base_url=context.candidate.base_url,
            method=asked.method,
            path=asked.path,
            headers=dict(asked.headers),
        )

    def curl(self, body: str) -> str:
        """A shell command that asks one case."""
        request = Request(method=self.method, path=self.path, headers=self.headers, body=body.encode())
        return curl(request, self.base_url)


class GoldenEvidence(Evidence):
    """Evidence of ``golden.single``.

    Attributes:
        header: Where the expected values come from.
        outputs: The declarations that the values were read by.
        closed: Whether answers were searched for what no output declares.
        device: What the candidate was started on.
        execution_provider: What it says that it runs on.
        cases: In a file of their own beside ``evidence.json``, however many.
    """

    header: GoldenHeader
    outputs: dict[str, OutputSettings]
    closed: bool = False
    device: Literal["cpu", "gpu"] = "cpu"
    execution_provider: Utf8Text | None = None
    request: RecordedRequest
    cases: Annotated[Sequence[CaseRecord], SkipValidation, Field(exclude=True)] = ()

    def limits(self, declared: GoldenLimits) -> GoldenLimits:
        """The limits that hold for this run: those of its device and pair of execution providers."""
        return declared.on(self.device, self.execution_provider, self.header.producer.execution_provider)

    def save(self, folder: Path, redact: Callable[[str], str]) -> None:
        """As the base; cases that ``collect`` did not write yet go into their file."""
        super().save(folder, redact)
        if not isinstance(self.cases, RecordFile):
            RecordFile.write(folder, self.cases, redact)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """As the base; the cases are read as they are needed."""
        return super().load(folder).model_copy(update={"cases": RecordFile(folder)})


class ConcurrentEvidence(GoldenEvidence):
    """Evidence of ``golden.concurrent``.

    Attributes:
        together: Requests that were shuffled together; all of a case are among the same ones.
    """

    together: int


class BesideLoad(Model):
    """A load beside the cases; ``problem`` is why it ended before them, empty when it did not."""

    rate_per_s: float
    requests: int
    failed: int
    problem: Utf8Text = ""


class LoadedEvidence(GoldenEvidence):
    """Evidence of ``golden.loaded``."""

    beside: BesideLoad


class BatchRecord(Model):
    """One batch request.

    Attributes:
        first: Index of its first case.
        asked: How many cases it held; ``answered`` is how many items came back, None without an answer.
    """

    first: int
    asked: int
    answered: int | None


class BatchEvidence(GoldenEvidence):
    """Evidence of ``golden.batch``."""

    batches: tuple[BatchRecord, ...]


def evidence_path(check_id: str) -> str:
    """Where the evidence of a check lies, relative to the report's evidence folder."""
    return f"{check_id}/{EVIDENCE_FILE}"
