"""What ``contract.responses`` saw."""

from harness.checks.contract.fetch import Served
from harness.checks.contract.settings import ResponsesSettings
from harness.checks.interface import Evidence
from harness.model import Model, Utf8Text


class Exchange(Model):
    """One request and what answered it.

    Attributes:
        operation: As the frozen document names it.
        wanted: The status that the request is to provoke.
        status: None where no answer came; ``problem`` says why.
        headers: Names, in lower case.
        body: As text; bytes that are not UTF-8 are escaped.
        problem: Also of an answer that was cut off.
        reproduce: Shell command that sends the request again.
    """

    operation: str
    wanted: int
    status: int | None = None
    media_type: Utf8Text = ""
    headers: tuple[Utf8Text, ...] = ()
    body: Utf8Text = ""
    problem: Utf8Text = ""
    reproduce: str


class ResponsesEvidence(Evidence):
    """All answers, with the documents that they are held against.

    Attributes:
        frozen: The frozen document as JSON text; its schemas are the ones that answers have to meet.
        served: The candidate's own, which may document more.
        declared: What was asked, and which statuses no request can provoke.
    """

    frozen: str
    served: Served
    declared: ResponsesSettings
    exchanges: tuple[Exchange, ...]
