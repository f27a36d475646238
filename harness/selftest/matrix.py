"""The kill matrix: what became of each entry of a catalogue, and what that shows of the gate; pure.

Every entry is counted once, under what became of it. What was not shown to be active is no fault that was
met: it is counted apart, and neither for the gate nor against it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from harness.errors import ExitCode
from harness.model import BoundedShare, Family, Model
from harness.selftest.model import WRONG, Kind, Listed, Result, Trial
from harness.stats.proportions import clopper_pearson_lower, clopper_pearson_upper

CONFIDENCE = 0.95
_MET_FAULT = (Result.KILLED, Result.WRONG_REASON, Result.SURVIVED, Result.UNDECIDED)
_MET_BENIGN = (Result.PROMOTED, Result.FALSE_REJECT)


class Row(Model):
    """An entry and its trial; None where it was not tried."""

    entry: Listed
    trial: Trial | None

    @property
    def result(self) -> Result | None:
        """What became of it; None where nobody tried."""
        return self.trial.result if self.trial else None


class Counts(Model):
    """How many entries there are, and what became of them; the others add up to ``of``."""

    of: int = 0
    killed: int = 0
    wrong_reason: int = 0
    survived: int = 0
    promoted: int = 0
    false_reject: int = 0
    undecided: int = 0
    inactive: int = 0
    error: int = 0
    untried: int = 0


class FamilyCounts(Model):
    """Those of one family; None for what is near none."""

    family: Family | None
    faults: Counts
    benign: Counts


class Kills(Model):
    """Of the faults that a check had to fail for: those that were killed by it, and the others."""

    check: str
    killed: tuple[str, ...]
    missed: tuple[str, ...]


class Matrix(Model):
    """All rows, and what they add up to.

    Attributes:
        killed_extended: Of the faults killed, those whose suite their entries add to.
        detection: Faults killed for the right reason, of those that were met; its bound is from below.
        false_rejects: Benign changes rejected, of those decided; its bound is from above.
        kills: Of each check that had to fail for any.
    """

    rows: tuple[Row, ...]
    faults: Counts
    benign: Counts
    families: tuple[FamilyCounts, ...]
    killed_extended: int
    detection: BoundedShare
    false_rejects: BoundedShare
    kills: tuple[Kills, ...]


def matrix(entries: Sequence[Listed], trials: Mapping[str, Trial]) -> Matrix:
    """The matrix of a catalogue; a trial of what is not in it counts for nothing.

    Args:
        entries: All of the catalogue, also those that nobody asked for.
        trials: The last of each entry, by name.
    """
    rows = tuple(Row(entry=entry, trial=trials.get(entry.name)) for entry in entries)
    faults, benign = counts(rows, Kind.FAULT), counts(rows, Kind.BENIGN)
    return Matrix(
        rows=rows,
        faults=faults,
        benign=benign,
        families=tuple(_families(rows)),
        killed_extended=sum(row.entry.extended and row.result is Result.KILLED for row in rows),
        detection=detection(faults),
        false_rejects=false_rejects(benign),
        kills=tuple(_kills(rows)),
    )


def counts(rows: Iterable[Row], kind: Kind) -> Counts:
    """What became of the entries of one kind."""
    results = [row.result for row in rows if row.entry.kind is kind]
    by_result = Counter("untried" if result is None else result.value for result in results)
    return Counts(of=len(results), **by_result)


def detection(faults: Counts) -> BoundedShare:
    """A fault that was met and not killed was missed, also where the gate could not tell."""
    met = sum(getattr(faults, result.value) for result in _MET_FAULT)
    bound = clopper_pearson_lower(faults.killed, met, 1.0 - CONFIDENCE)
    return _share(faults.killed, met, bound)


def false_rejects(benign: Counts) -> BoundedShare:
    """What the gate could not tell was not rejected, and is left out."""
    met = sum(getattr(benign, result.value) for result in _MET_BENIGN)
    bound = clopper_pearson_upper(benign.false_reject, met, 1.0 - CONFIDENCE)
    return _share(benign.false_reject, met, bound)


def exit_code(results: Iterable[Result | None]) -> ExitCode:
    """What the process exits with, by the worst of what was asked for; None is an entry without a trial."""
    found = set(results)
    if found & WRONG:
        return ExitCode.REJECT
    if Result.ERROR in found:
        return ExitCode.INFRASTRUCTURE
    if not found or found & {Result.UNDECIDED, Result.INACTIVE, None}:
        return ExitCode.INCONCLUSIVE
    return ExitCode.PROMOTE


def _share(hits: int, samples: int, bound: float) -> BoundedShare:
    seen = hits / samples if samples else None
    return BoundedShare(hits=hits, samples=samples, seen=seen, bound=bound, confidence=CONFIDENCE)


def _families(rows: Sequence[Row]) -> Iterable[FamilyCounts]:
    there = {row.entry.family for row in rows}
    for family in [*Family, None]:
        if family in there:
            own = [row for row in rows if row.entry.family is family]
            yield FamilyCounts(family=family, faults=counts(own, Kind.FAULT), benign=counts(own, Kind.BENIGN))


def _kills(rows: Sequence[Row]) -> Iterable[Kills]:
    """By check; a fault that was not met, or of which the check was not asked, is in neither list."""
    met = [row.trial for row in rows if row.trial and row.result in _MET_FAULT]
    for check in sorted({check for trial in met for check in trial.expected}):
        about = [trial for trial in met if check in trial.expected]
        killed = {trial.name for trial in about if trial.result is Result.KILLED and check in trial.failed}
        yield Kills(
            check=check,
            killed=tuple(trial.name for trial in about if trial.name in killed),
            missed=tuple(trial.name for trial in about if trial.name not in killed),
        )
