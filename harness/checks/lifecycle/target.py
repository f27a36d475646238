"""``lifecycle.target``: the candidate gets ready whenever it is started, and stays alive.

Unlike other checks this one asks nothing itself: the runner starts a candidate for each group of the plan,
and what became of each start is the evidence.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from harness.checks.interface import EVIDENCE_FILE, Evidence
from harness.config.section import Limits
from harness.model import Family, Finding, Outcome, Utf8Text

CHECK_ID = "lifecycle.target"
MOST_LAST_WORDS = 600


class Start(BaseModel):
    """One start of the candidate.

    Attributes:
        used_by: The checks that it was started for.
        startup_s: Seconds until it was ready; None if it never was.
        problem: Why it did not get ready, or how it died; empty when all went well.
        logs: The end of what it wrote, when there is a problem.
        unknown: Why nobody can say whether it got ready, or still ran; empty where that is known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    used_by: tuple[str, ...]
    startup_s: float | None
    problem: Utf8Text = ""
    logs: Utf8Text = ""
    unknown: Utf8Text = ""


class TargetEvidence(Evidence):
    """Every start of the candidate in this run.

    Attributes:
        elsewhere: It is a URL: it runs already, and has no log to read.
    """

    starts: tuple[Start, ...]
    elsewhere: bool = False


def log_file(evidence: Path, role: str, start: int) -> Path:
    """Where the log of a target lies, ``evidence`` being the folder of the run's evidence.

    Args:
        evidence: Relative or not.
        role: ``candidate`` or ``reference``.
        start: Number of the candidate's start that it belongs to, from 1.
    """
    return evidence / CHECK_ID / f"{role}-{start}.log"


class TargetJudge:
    """Judges the starts; always required, whatever families a policy requires."""

    id: ClassVar[str] = CHECK_ID
    family: ClassVar[Family] = Family.LIFECYCLE

    def judge(self, evidence: TargetEvidence, _limits: Limits) -> Sequence[Finding]:
        """One finding for getting ready, one for staying alive."""
        starts = list(enumerate(evidence.starts, 1))
        unready = [(i, start) for i, start in starts if start.startup_s is None]
        ready = [(i, start) for i, start in starts if start.startup_s is not None]
        ready_s = [start.startup_s for start in evidence.starts if start.startup_s is not None]
        slowest = f", slowest start {max(ready_s):.2f} s" if ready_s and not evidence.elsewhere else ""
        finding = partial(_finding, elsewhere=evidence.elsewhere)
        return [
            finding("ready", unready, len(starts), good=f"ready every time{slowest}"),
            finding("alive", ready, len(ready_s), good="alive after every check"),
        ]


def _finding(
    name: str, suspects: list[tuple[int, Start]], samples: int, *, good: str, elsewhere: bool
) -> Finding:
    identity = f"{CHECK_ID}.{name}"
    bad = [(i, start) for i, start in suspects if start.problem]
    unknown = next((start.unknown for _, start in suspects if start.unknown), "")
    if unknown and not bad:
        return Finding(id=identity, outcome=Outcome.INCONCLUSIVE, message=f"nobody can tell: {unknown}")
    unit = "times" if elsewhere else "starts"
    if samples == 0:
        return Finding(id=identity, outcome=Outcome.NOT_APPLICABLE, message="it was never ready")
    if not bad:
        return Finding(
            id=identity,
            outcome=Outcome.PASS,
            message=good,
            observed=0,
            limit=0,
            unit=unit,
            samples=samples,
        )
    index, start = bad[0]
    last_words = start.logs.strip().splitlines()[-1:] or ([] if elsewhere else ["(no output)"])
    return Finding(
        id=identity,
        outcome=Outcome.FAIL,
        message="; its last line: ".join([start.problem, *(line[:MOST_LAST_WORDS] for line in last_words)]),
        observed=len(bad),
        limit=0,
        unit=unit,
        samples=samples,
        evidence=log_file(Path(), "candidate", index).as_posix()
        if start.logs
        else f"{CHECK_ID}/{EVIDENCE_FILE}",
    )
