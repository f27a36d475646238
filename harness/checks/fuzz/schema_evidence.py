"""What generated requests found, and how the worker's messages become it."""

from collections import Counter, defaultdict
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

from harness.checks.fuzz.protocol import Answered, Applied, Broken, Ended, Failed, Message, Planned
from harness.checks.interface import Evidence

SUCCESS = range(200, 300)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


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
    """Failures of one check, operation and status, with the shortest request that showed them.

    Attributes:
        request: Method, path and query.
        answer: Excerpt of the answer.
        curl: Sends that request; needs the named variables.
    """

    check: str
    operation: str
    status: int | None
    count: int
    message: str
    request: str
    answer: str
    curl: str


class SchemaEvidence(Evidence):
    """What the worker saw.

    Attributes:
        cases_per_operation: The least number for each operation.
        failures: At most 50 kinds, of every check some; ``failure_kinds`` is how many there were.
        errors: What the engine could not do.
        ended: ``completed``, or why it stopped early.
    """

    cases_per_operation: int
    operations: tuple[OperationCases, ...]
    checks: tuple[CheckCases, ...]
    failures: tuple[FailureKind, ...]
    failure_kinds: int
    errors: tuple[str, ...]
    ended: str


class Tally:
    """Adds the worker's messages up."""

    def __init__(self, cases_per_operation: int, progress: Callable[[int, int], None]) -> None:
        self._required = cases_per_operation
        self._progress = progress
        self._answered: defaultdict[str, Counter[tuple[bool, int]]] = defaultdict(Counter)
        self._applied: Counter[str] = Counter()
        self._failed: dict[tuple[str, str, int | None], Failed] = {}
        self.operations: tuple[str, ...] = ()
        self.errors: list[str] = []
        self.ended = ""

    def add(self, message: Message) -> None:
        """Take one message in."""
        match message:
            case Planned():
                self.operations = message.operations
            case Answered():
                self._answered[message.operation][message.valid, message.status] += 1
                self._progress(self.executed, self.expected)
            case Applied():
                self._applied.update(message.checks)
            case Failed():
                known = self._failed.get(message.same)
                self._failed[message.same] = message if known is None else known.merged(message)
            case Broken():
                self.errors.append(message.message)
            case Ended():
                self.ended = message.reason

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
        for failure in self._failed.values():
            failed[failure.check] += failure.count
        return tuple(
            CheckCases(name=name, applied=max(self._applied[name], failed[name]), failed=failed[name])
            for name in sorted({*self._applied, *failed})
        )

    def failures(self) -> list[Failed]:
        """Every kind, the first of each check before the second of any."""
        rank: Counter[str] = Counter()
        ranked = []
        for failure in sorted(self._failed.values(), key=lambda failed: (-failed.count, failed.effort)):
            ranked.append((rank[failure.check], failure))
            rank[failure.check] += 1
        return [failure for _, failure in sorted(ranked, key=lambda pair: pair[0])]


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
