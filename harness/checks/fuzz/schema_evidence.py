"""What generated requests found, and how the worker's messages become it."""

from collections import Counter, defaultdict
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

from harness.checks.fuzz.protocol import (
    Answered,
    Applied,
    Broken,
    Ended,
    Failed,
    Kind,
    Message,
    Planned,
    Replayed,
    Shrunk,
)
from harness.checks.interface import Evidence

SUCCESS = range(200, 300)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")


class OperationCases(_Part):
    """What one operation was asked.

    Attributes:
        cases: Generated requests that were answered.
        valid: Those of them that the contract allows.
        accepted: Those of the valid that were answered 2xx.
        statuses: How often each status was answered.
    """

    operation: str
    cases: int
    valid: int
    accepted: int
    statuses: dict[int, int]


class CheckCases(_Part):
    """How often one of Schemathesis's checks was applied, and how often it failed."""

    name: str
    applied: int
    failed: int


class FailureKind(_Part):
    """Failures of one check, operation and status or exception, with the smallest request that showed them.

    Attributes:
        exception: ``timeout`` or ``closed`` where there was no answer.
        again: Whether it was seen again afterwards; None where that was not asked, for want of time or
            because the request cannot be stored.
        request: Method, path and query.
        body: The first KiB of the body, as sent.
        answer: Excerpt of the answer.
        curl: Sends that request; needs the named variables.
        replay: The stored request, relative to the folder of evidence; empty where it cannot be stored.
    """

    check: str
    operation: str
    status: int | None
    exception: str
    count: int
    message: str
    again: bool | None
    request: str
    body: bytes
    answer: str
    curl: str
    replay: str


class SchemaEvidence(Evidence):
    """What the worker saw.

    Attributes:
        cases_per_operation: The least number for each operation.
        declared: Names of the checks that the suite asks for; ``checks`` has those that were applied.
        failures: At most 50 kinds, of every check some; ``failure_kinds`` is how many there were.
        stateful: Whether chains of requests were sent too, since the contract links operations.
        errors: What the engine could not do.
        ended: ``completed``, or why it stopped early.
    """

    cases_per_operation: int
    declared: tuple[str, ...]
    operations: tuple[OperationCases, ...]
    checks: tuple[CheckCases, ...]
    failures: tuple[FailureKind, ...]
    failure_kinds: int
    stateful: bool
    errors: tuple[str, ...]
    ended: str


class Tally:
    """Adds the worker's messages up."""

    def __init__(self, cases_per_operation: int, progress: Callable[[int, int], None]) -> None:
        self._required = cases_per_operation
        self._progress = progress
        self._answered: defaultdict[str, Counter[tuple[bool, int]]] = defaultdict(Counter)
        self._applied: Counter[str] = Counter()
        self._failed: dict[Kind, Failed] = {}
        self.again: dict[Kind, bool] = {}
        self.replayed: list[Replayed] = []
        self.stateful = False
        self.operations: tuple[str, ...] = ()
        self.errors: list[str] = []
        self.ended = ""

    def add(self, message: Message) -> None:
        """Take one message in."""
        match message:
            case Planned():
                self.operations, self.stateful = message.operations, message.stateful
            case Answered():
                self._answered[message.operation][message.valid, message.status] += 1
                self._progress(self.executed, self.expected)
            case Applied():
                self._applied.update(message.checks)
            case Failed():
                known = self._failed.get(message.same)
                self._failed[message.same] = message if known is None else known.merged(message)
            case Shrunk():
                self._shrink(message)
            case Replayed():
                self.replayed.append(message)
            case Broken():
                self.errors.append(message.message)
            case Ended():
                self.ended = message.reason

    def _shrink(self, message: Shrunk) -> None:
        self.again[message.of] = message.again
        known = self._failed.get(message.of)
        if known is not None and message.failed is not None:
            self._failed[message.of] = message.failed.model_copy(update={"count": known.count})

    @property
    def expected(self) -> int:
        """The least number of cases over all operations."""
        return self._required * len(self.operations)

    @property
    def executed(self) -> int:
        """Cases count for their own operation only: a busy one cannot stand in for another."""
        return sum(min(self._answered[name].total(), self._required) for name in self.operations)

    def cases(self) -> tuple[OperationCases, ...]:
        """What each planned operation was asked, also one that was not."""
        return tuple(_operation(name, self._answered[name]) for name in self.operations)

    def checks(self) -> tuple[CheckCases, ...]:
        """Each check that was applied or failed, by name."""
        failed: Counter[str] = Counter()
        for (check, *_), failure in self._failed.items():
            failed[check] += failure.count
        return tuple(
            CheckCases(name=name, applied=max(self._applied[name], failed[name]), failed=failed[name])
            for name in sorted({*self._applied, *failed})
        )

    def failures(self) -> list[tuple[Kind, Failed]]:
        """Every kind, the first of each check before the second of any."""
        rank: Counter[str] = Counter()
        ranked = []
        for kind, failure in sorted(
            self._failed.items(), key=lambda pair: (-pair[1].count, pair[1].effort, str(pair[0]))
        ):
            ranked.append((rank[failure.check], kind, failure))
            rank[failure.check] += 1
        return [(kind, failure) for _, kind, failure in sorted(ranked, key=lambda item: item[0])]


def _operation(name: str, answered: Counter[tuple[bool, int]]) -> OperationCases:
    statuses: Counter[int] = Counter()
    for (_, status), count in answered.items():
        statuses[status] += count
    return OperationCases(
        operation=name,
        cases=answered.total(),
        valid=sum(count for (valid, _), count in answered.items() if valid),
        accepted=sum(count for (valid, status), count in answered.items() if valid and status in SUCCESS),
        statuses=dict(sorted(statuses.items())),
    )
