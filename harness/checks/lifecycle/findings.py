"""The two shapes that findings of the lifecycle have: no fault allowed, and a bounded figure."""

from collections.abc import Sequence

from harness.checks.interface import EVIDENCE_FILE
from harness.model import Finding, Outcome

MOST_TOLD = 3


def nothing_wrong(identity: str, problems: Sequence[str], *, good: str, samples: int) -> Finding:
    """Passes without problems; without samples too nothing is said.

    Args:
        identity: The finding's id, that of its check and a name.
        problems: What is wrong, in words.
        good: What the finding says where nothing is.
        samples: What could have been wrong.
    """
    told = "; ".join(problems[:MOST_TOLD])
    more = f"; and {len(problems) - MOST_TOLD} more" if len(problems) > MOST_TOLD else ""
    return Finding(
        id=identity,
        outcome=Outcome.FAIL if problems else Outcome.PASS if samples else Outcome.INCONCLUSIVE,
        message=told + more or (good if samples else "nothing of it was seen"),
        observed=len(problems),
        limit=0,
        unit="faults",
        samples=samples,
        evidence=_evidence(identity),
    )


def at_most(
    identity: str, observed: float | None, limit: float, *, unit: str, what: str, samples: int
) -> Finding:
    """Passes where ``observed`` is at most the limit; None, never observed, is neither pass nor failure."""
    if observed is None:
        return Finding(id=identity, outcome=Outcome.INCONCLUSIVE, message=f"{what}: never observed")
    return Finding(
        id=identity,
        outcome=Outcome.PASS if observed <= limit else Outcome.FAIL,
        message=f"{what} {observed:.4g} {unit}, allowed {limit:g}",
        observed=observed,
        limit=limit,
        unit=unit,
        samples=samples,
        evidence=_evidence(identity),
    )


def _evidence(identity: str) -> str:
    return f"{identity.rpartition('.')[0]}/{EVIDENCE_FILE}"
