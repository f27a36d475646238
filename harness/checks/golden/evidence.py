"""What the golden checks saw, whole enough to be judged again under other tolerances."""

from typing import Any, Self

from harness.checks.golden.golden_set import GoldenHeader
from harness.checks.golden.settings import OutputSettings
from harness.checks.interface import CheckContext, Evidence
from harness.http_request import Request, RequestTemplate, build
from harness.model import Model
from harness.reproduce import curl


class CaseRecord(Model):
    """One case: what was expected and what was answered.

    Attributes:
        observed: The raw JSON value of each output that the answer has.
        missing: Why an output has no value, by its name.
        problem: Why there is no answer to compare at all; empty when there is one.
        body: The request's body; empty in a batch, which has no request for one case.
    """

    id: str
    expected: dict[str, Any]
    observed: dict[str, Any] = {}
    missing: dict[str, str] = {}
    problem: str = ""
    body: str = ""


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
    """

    header: GoldenHeader
    outputs: dict[str, OutputSettings]
    request: RecordedRequest
    cases: tuple[CaseRecord, ...]


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
