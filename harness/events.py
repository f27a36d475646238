"""What a run tells while it goes on; handlers make of it what they like."""

from collections.abc import Callable
from dataclasses import dataclass

from harness.model import CheckResult


@dataclass(frozen=True)
class Note:
    """A line for the user: what is being built, started, or removed."""

    text: str


@dataclass(frozen=True)
class BuildProgress:
    """An image is being built: ``step`` of ``total``."""

    step: int
    total: int


@dataclass(frozen=True)
class CheckStarted:
    """A check begins."""

    check_id: str


@dataclass(frozen=True)
class CheckProgress:
    """A check has done ``done`` of ``total`` cases."""

    check_id: str
    done: int
    total: int


@dataclass(frozen=True)
class CheckFinished:
    """A check has its result."""

    result: CheckResult


Event = Note | BuildProgress | CheckStarted | CheckProgress | CheckFinished
Emit = Callable[[Event], None]
