"""What was asked and answered in each scenario, with the expectations that judge it."""

from pydantic import BaseModel, ConfigDict

from harness.checks.interface import Evidence
from harness.checks.scenarios.rate_policy import RatePolicy
from harness.checks.scenarios.scenario import Expect


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


class StepRecord(Record):
    """One step as it went.

    Attributes:
        request: Method, path and credential in words.
        reproduce: A shell command that sends the same; empty for a forged token.
        waited_s: Seconds slept before sending.
        policy: That of the quota which is expected.
        not_sent: Why the step could not be sent, else empty.
        exchanges: In the order of the repeated request.
    """

    request: str
    expect: Expect
    reproduce: str
    waited_s: float = 0.0
    within_s: float | None = None
    policy: RatePolicy | None = None
    not_sent: str = ""
    exchanges: tuple[Exchange, ...] = ()


class ScenarioRecord(Record):
    """One scenario as it went; steps after one that could not be sent are left out."""

    id: str
    title: str
    steps: tuple[StepRecord, ...]


class ScenariosEvidence(Evidence):
    """All scenarios of one check, in the order of their files."""

    scenarios: tuple[ScenarioRecord, ...]
