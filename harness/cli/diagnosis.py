"""One thing that ``harness doctor`` looked at, and the fix."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a thing stands."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Diagnosis:
    """One thing looked at; ``fix`` is empty where there is nothing to do."""

    what: str
    state: State
    seen: str
    fix: str = ""


def held(what: str, good: bool, seen: str, fix: str, otherwise: State) -> Diagnosis:
    """OK if it is good; if not, so bad as ``otherwise``, with the fix."""
    return Diagnosis(what, State.OK, seen) if good else Diagnosis(what, otherwise, seen, fix)


def gib(size_bytes: int) -> str:
    """A size for people."""
    return f"{size_bytes / 1024**3:.1f} GiB"
