"""The committed plan, plan.toml: what is run, how often, and in which order."""

import hashlib
import random
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from harness.model import Decision

PLAN = Path(__file__).with_name("plan.toml")
ROOT = Path(__file__).resolve().parents[2]
DECIDES = ("harness/stats", "harness/load", "harness/checks/latency")
SLOWS = ("benchmarks/verdict_quality/overlay",)
Positive = Annotated[float, Field(gt=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Form(StrEnum):
    """Which requests of a service are slowed, and how; see overlay/slowed.py."""

    ALL = "all"
    TAIL = "tail"
    STALLS = "stalls"
    CPU = "cpu"


class Slowed(_Part):
    """A service that is worse than the image of this checkout.

    Attributes:
        effect: What the client is to see: p95 (of `cpu`: CPU time per request) higher by this share; of
            `stalls`: the share of requests that stall.
        amount: By how much to slow it: a share of the request's own time, to begin the calibration with; of
            `stalls`: seconds.
    """

    form: Form
    effect: Positive
    amount: Positive

    @property
    def key(self) -> str:
        """Its name in results and image tags."""
        return f"{self.form.value}-{self.effect:g}"

    @property
    def calibrated(self) -> bool:
        """Whether the amount has to be found by measurement."""
        return self.form is not Form.STALLS


class Aim(_Part):
    """A share of the runs that ought to end in a decision, and half of them within some seconds of load."""

    decision: Decision
    at_least: float | None = None
    at_most: float | None = None
    median_s: float | None = None


class Scenario(_Part):
    """One line of the table.

    Attributes:
        runs: Of the harness.
        stock_runs: Of the stock Locust gate.
        budget_s: Of load.
        limits: What differs from ``[latency.limits]`` of gate.toml.
        noise: Whether a busy loop runs beside it for half of each second.
        family: Whether all latency checks decide, as with ``--only latency``, and not `latency.paired` alone.
    """

    name: str
    title: str
    runs: int
    stock_runs: int = 0
    budget_s: Positive
    limits: dict[str, Any] = {}
    candidate: Slowed | None = None
    reference: Slowed | None = None
    noise: bool = False
    family: bool = False
    aims: tuple[Aim, ...] = ()


class Calibration(_Part):
    """How the amounts are found."""

    measurements: Annotated[int, Field(ge=1)]
    budget_s: Positive


class Stock(_Part):
    """The stock Locust gate."""

    users: int
    duration_s: int
    threshold: Positive


class Delays(_Part):
    """A distribution of delays: lognormal, a share of them longer by a stall."""

    name: str
    median_ms: Positive
    sigma: Positive
    stalled_share: float = 0.0
    stall_ms: float = 0.0


class Accuracy(_Part):
    """What is asked of the server with known delays, and how far the measured quantiles may be off."""

    runs: int
    requests: int
    rate_per_s: Positive
    tolerance_share: Positive
    tolerance_ms: Positive
    delays: tuple[Delays, ...]


class Kind(StrEnum):
    """What a line of the results is about."""

    GATE = "gate"
    STOCK = "stock"
    ACCURACY = "accuracy"
    CALIBRATION = "calibration"


class Task(_Part):
    """One run; ``name`` is a scenario's or a distribution's."""

    kind: Kind
    name: str
    index: int


class Plan(_Part):
    """plan.toml."""

    seed: int
    calibration: Calibration
    stock: Stock
    accuracy: Accuracy
    scenarios: tuple[Scenario, ...]

    def scenario(self, name: str) -> Scenario:
        """The scenario of that name."""
        return next(scenario for scenario in self.scenarios if scenario.name == name)

    def delays(self, name: str) -> Delays:
        """The distribution of that name."""
        return next(delays for delays in self.accuracy.delays if delays.name == name)

    def tasks(self) -> tuple[Task, ...]:
        """Every run once, in an order drawn by the seed: a bad quarter of an hour meets all scenarios."""
        counts = [(Kind.ACCURACY, delays.name, self.accuracy.runs) for delays in self.accuracy.delays]
        for scenario in self.scenarios:
            counts += [(Kind.GATE, scenario.name, scenario.runs)]
            counts += [(Kind.STOCK, scenario.name, scenario.stock_runs)]
        tasks = [
            Task(kind=kind, name=name, index=index) for kind, name, runs in counts for index in range(runs)
        ]
        random.Random(self.seed).shuffle(tasks)
        return tuple(tasks)

    def seed_of(self, task: Task) -> int:
        """A seed of its own for each run."""
        text = f"{self.seed}/{task.kind.value}/{task.name}/{task.index}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def load_plan(path: Path = PLAN) -> Plan:
    """Read and validate a plan."""
    return Plan.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


def declared_digest(plan_text: str, latency_settings: str) -> str:
    """SHA-256 over the plan and the settings that it builds on."""
    return hashlib.sha256(f"{plan_text}\0{latency_settings}".encode()).hexdigest()


def plan_digest(declared: str, root: Path = ROOT) -> str:
    """SHA-256 over what is declared and the code that decides and slows: what changes it does not pool."""
    whole = hashlib.sha256(declared.encode())
    for path in sorted(path for folder in (*DECIDES, *SLOWS) for path in (root / folder).rglob("*.py")):
        whole.update(f"\0{path.relative_to(root)}\0".encode() + path.read_bytes())
    return whole.hexdigest()
