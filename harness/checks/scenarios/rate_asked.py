"""What the rate oracle is told: when something was asked, what it cost, and whether it passed."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Asked:
    """One request. The limiter decided at an instant that the client does not know, within the interval.

    Attributes:
        sent_s: Before the service had it.
        answered_s: When the answer was there; not before ``sent_s``.
        passed: Whether it was answered, else it was refused.
        cost: What it takes of the quota.
        name: For messages.
    """

    sent_s: float
    answered_s: float
    passed: bool
    cost: int = 1
    name: str = ""


@dataclass(frozen=True)
class Contradiction:
    """Why no instants of decision can have given the answers.

    Attributes:
        message: In words.
        observed: What passed at least, or at most where a request was wrongly refused.
        limit: What may pass at most.
    """

    message: str
    observed: float
    limit: float


def cost_of(asked: Iterable[Asked]) -> int:
    """The sum of what they cost."""
    return sum(each.cost for each in asked)


def too_much(passed: int, limit: int, what: str) -> Contradiction:
    """More passed than may."""
    return Contradiction(f"{passed} passed {what}, at most {limit} may", passed, limit)


def refused_for_nothing(asked: Asked, used: float, limit: int) -> Contradiction:
    """A request was refused though there was room for it."""
    message = f"{asked.name} was refused: it costs {asked.cost}, and of {limit} at most {used:g} were used"
    return Contradiction(message, used, limit)
