"""What was asked and answered in each scenario, with the expectations that judge it."""

from pydantic import BaseModel, ConfigDict

from harness.checks.interface import Evidence
from harness.checks.scenarios.rate_policy import RatePolicy
from harness.checks.scenarios.scenario import Expect, Rule
from harness.model import Utf8Text


class Record(BaseModel):
    """Base of the parts of the evidence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Exchange(Record):
    """One request and its answer, or why there is none.

    Attributes:
        sent_s: Seconds from the scenario's first request to this one.
        elapsed_s: Seconds from sending to the end of the answer.
        status: None without an answer.
        headers: Lower-case names.
        body: Text, at most the first 16 KiB; ``truncated`` when there was more.
        error: Why there is no answer, else empty.
        closed: Whether there is none because the service ended the connection.
    """

    sent_s: float
    elapsed_s: float
    status: int | None = None
    headers: dict[str, str] = {}
    body: str = ""
    truncated: bool = False
    error: str = ""
    closed: bool = False


class Rise(Record):
    """By how much a counter of the service rose while a step was played.

    Attributes:
        rose: None where it could not be read; ``problem`` says why.
    """

    counter: str
    rule: Rule
    rose: float | None = None
    problem: Utf8Text = ""


class StepRecord(Record):
    """One step as it went.

    Attributes:
        request: Method, path and credential in words.
        reproduce: A shell command that sends the same; empty for a forged token.
        waited_s: Seconds slept before sending.
        policy: That of the quota which is expected.
        not_sent: Why the step could not be sent, else empty.
        exchanges: In the order of the repeated request.
        rises: Of each counter that something is expected of.
        connections: That the service opened to the scenario's listener meanwhile.
    """

    request: str
    expect: Expect
    reproduce: str
    waited_s: float = 0.0
    within_s: float | None = None
    policy: RatePolicy | None = None
    not_sent: str = ""
    exchanges: tuple[Exchange, ...] = ()
    rises: tuple[Rise, ...] = ()
    connections: int = 0


class ScenarioRecord(Record):
    """One scenario as it went; steps after one that could not be sent are left out.

    Attributes:
        service: The variant of the service that it was played on, None for the service as it always is.
        steps: None at all where it is ``unplayable`` on this candidate, for that reason.
        applicable: Whether it should have been playable on a candidate of this kind.
        late_connections: That the service opened to a listener which it had to leave alone, after the last
            step and until all scenarios were played.
    """

    id: str
    title: str
    service: str | None = None
    unplayable: str = ""
    applicable: bool = True
    late_connections: int = 0
    steps: tuple[StepRecord, ...]

    @property
    def unanswered(self) -> bool:
        """Whether some request of it had no answer, expected or not."""
        return any(exchange.error for step in self.steps for exchange in step.exchanges)


class ScenariosEvidence(Evidence):
    """All scenarios of one check: first those of the service as it always is, then those of its variants.

    Attributes:
        searched: Where secrets of the run were looked for, after the scenarios: log and metrics.
        leaked: In which of these one was found.
        cut: Which of these may lack what was written first.
        unread: Where they should have been looked for, and what is there could not be read.
    """

    scenarios: tuple[ScenarioRecord, ...]
    searched: tuple[str, ...] = ()
    leaked: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
