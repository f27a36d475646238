"""What the gate and its fuzz worker say to each other, one JSON object a line."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from harness.model import Utf8Text

NO_ANSWER = "no_answer"
"""The name under which a request that got no HTTP answer is reported, beside Schemathesis's own checks."""


class _Line(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        ser_json_bytes="base64",
        val_json_bytes="base64",
        ser_json_inf_nan="strings",
    )


class Job(_Line):
    """What to do; it holds secrets, so it goes through a pipe and never into an argument or a file.

    Attributes:
        document: The OpenAPI document.
        base_url: Without the path of the document's servers.
        headers: Of the credential.
        checks: Names of the checks to apply.
        budget_s: After which the engine stops.
        shrink_budget_s: For making all failures smaller, after that.
        again: Stored cases and the check of each; where there are any, they are sent instead of new ones.
        memory_bytes: Bound of the worker's address space.
    """

    document: dict[str, Any]
    base_url: str
    headers: dict[str, str]
    checks: tuple[str, ...]
    seed: int
    cases_per_operation: int
    answer_timeout_s: float
    budget_s: float
    shrink_budget_s: float
    again: tuple[tuple[str, str], ...] = ()
    memory_bytes: int


class Planned(_Line):
    """The operations that will be asked.

    Attributes:
        stateful: Whether chains of requests are, since the contract links operations.
    """

    kind: Literal["planned"] = "planned"
    operations: tuple[str, ...]
    stateful: bool = False


class Answered(_Line):
    """One generated request, sent with the operation's own method, was answered.

    Attributes:
        valid: Whether the contract allows the request.
    """

    kind: Literal["answered"] = "answered"
    operation: str
    valid: bool
    status: int


class Applied(_Line):
    """How often each of Schemathesis's checks held an answer against the contract."""

    kind: Literal["applied"] = "applied"
    checks: dict[str, int]


class Failed(_Line):
    """A kind of failure, with the shortest request that showed it.

    Attributes:
        check: Schemathesis's name of the check, or :data:`NO_ANSWER`.
        status: None where there was no answer; ``exception`` then says whether it was waited for in vain
            (``timeout``) or the connection ended (``closed``).
        count: How many requests showed it.
        path: With query.
        headers: As sent, one value a name.
        body: As sent, at most 64 KiB.
        body_bytes: Its whole length.
        answer: Excerpt of the answer.
        case: What the request was made of, as JSON, to send it again; empty where that cannot be written.
    """

    kind: Literal["failed"] = "failed"
    check: str
    operation: str
    status: int | None
    exception: str = ""
    count: int
    message: Utf8Text
    method: str = ""
    path: Utf8Text = ""
    headers: dict[Utf8Text, Utf8Text] = {}
    body: bytes | None = None
    body_bytes: int = 0
    answer: Utf8Text = ""
    case: str = ""

    @property
    def same(self) -> "Kind":
        """Failures of one kind have this in common."""
        return self.check, self.operation, self.status, self.exception

    @property
    def effort(self) -> tuple[int, int, str]:
        """The shortest request explains most."""
        return len(self.path) + self.body_bytes, sum(map(len, self.headers.values())), self.path

    def merged(self, other: "Failed") -> "Failed":
        """Both as one."""
        shorter = min(self, other, key=lambda failed: failed.effort)
        return shorter.model_copy(update={"count": self.count + other.count})


Kind = tuple[str, str, int | None, str]
"""Check, operation, status and exception."""


class Shrunk(_Line):
    """What became of a kind of failure after the run.

    Attributes:
        again: Whether it was seen again; ``failed`` then has the smallest request that showed it.
    """

    kind: Literal["shrunk"] = "shrunk"
    of: Kind
    again: bool
    failed: Failed | None = None


class Replayed(_Line):
    """What became of a stored case, by its place in the job.

    Attributes:
        failed: None where it no longer fails its check.
        problem: Why it could not be sent; empty where it was.
    """

    kind: Literal["replayed"] = "replayed"
    index: int
    failed: Failed | None = None
    problem: Utf8Text = ""


class Broken(_Line):
    """The engine could not do its part; whatever else it found, this is no pass."""

    kind: Literal["broken"] = "broken"
    message: Utf8Text


class Ended(_Line):
    """The last line.

    Attributes:
        reason: ``completed``, ``budget``, ``server_unavailable``, or another early stop of the engine.
    """

    kind: Literal["ended"] = "ended"
    reason: str


Message = Planned | Answered | Applied | Failed | Shrunk | Replayed | Broken | Ended
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def parse(line: bytes) -> Message:
    """One line of the worker.

    Raises:
        pydantic.ValidationError: when it is none.
    """
    return _MESSAGE.validate_json(line)
