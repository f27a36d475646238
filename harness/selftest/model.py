"""What a selftest finds: one trial for each entry of its catalogue."""

from enum import StrEnum

from harness.model import Family, Model, Utf8Text


class Kind(StrEnum):
    """What an entry of the catalogue is."""

    FAULT = "fault"
    BENIGN = "benign"


class Mode(StrEnum):
    """How much of the gate a fault meets; a benign change meets every family in either."""

    QUICK = "quick"
    """The checks of its own family that have to fail."""
    FULL = "full"
    """The whole gate."""


class Result(StrEnum):
    """What became of a trial."""

    KILLED = "killed"
    """A fault that was rejected by the checks that were named beforehand, and by no other."""
    WRONG_REASON = "wrong_reason"
    """A fault that was rejected, and not so."""
    SURVIVED = "survived"
    """A fault that no check noticed that had to."""
    PROMOTED = "promoted"
    """A benign change that was."""
    FALSE_REJECT = "false_reject"
    """A benign change that a check failed."""
    UNDECIDED = "undecided"
    """The gate could not tell."""
    INACTIVE = "inactive"
    """Nothing showed that the fault or the change was there, so nothing was gated."""
    ERROR = "error"
    """The machine, the probe or the harness itself failed."""


AS_IT_SHOULD = frozenset({Result.KILLED, Result.PROMOTED})
WRONG = frozenset({Result.WRONG_REASON, Result.SURVIVED, Result.FALSE_REJECT})


class Listed(Model):
    """An entry of a catalogue, as a report names it.

    Attributes:
        family: Whose fault it is; of a benign change, whose fault it is near; None where it is near none.
        checks: That have to fail; of a benign change, that it is near.
        extended: Whether it adds lines to the suite that gates it, so that this is not the one that ships.
        mechanism: Of a fault of the proxy, the mistake that it stands for; else empty.
    """

    name: str
    kind: Kind
    family: Family | None
    does: str
    checks: tuple[str, ...]
    extended: bool = False
    mechanism: str = ""


class Trial(Model):
    """One entry of the catalogue, gated.

    Attributes:
        name: Of the entry; ``kind`` and ``family`` likewise.
        seed: Of the gate.
        healthy: What it was compared with, as the engine knows it.
        why: Of the result, a line; where it is as it should be, only what else is to be known of it.
        proof: What the probe said, or why there was none.
        expected: The checks that had to fail, of those that were asked.
        failed: The findings that failed, by check.
        undecided: The checks without a judgement.
        tries: How often the last gate was asked: a latency that was not measured is asked again.
        earlier: How many trials of it came before, which left it open; counted when read.
        verdict_s: From the start of a gate to its verdict, in seconds, that of all its gates together; None
            without one.
        took_s: All of the trial: image, probe and gates.
        report: Path of the last gate's report, relative to the selftest's folder; empty without one.
    """

    name: str
    kind: Kind
    family: Family | None
    mode: Mode
    seed: int
    healthy: str
    result: Result
    why: Utf8Text = ""
    proof: Utf8Text = ""
    expected: tuple[Utf8Text, ...] = ()
    failed: dict[Utf8Text, tuple[Utf8Text, ...]] = {}
    undecided: tuple[Utf8Text, ...] = ()
    tries: int = 0
    earlier: int = 0
    verdict_s: float | None = None
    took_s: float = 0.0
    finished_at: str = ""
    report: Utf8Text = ""
