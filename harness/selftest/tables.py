"""A selftest for people, as tables of text: the entries, what went wrong first, and what they add up to."""

from collections.abc import Iterator

from harness.history.tables import TextTable
from harness.model import BoundedShare
from harness.reports.markdown import code, prose
from harness.reports.text import bounded, seconds
from harness.selftest.document import SelftestDocument
from harness.selftest.matrix import Counts, Row
from harness.selftest.model import AS_IT_SHOULD, WRONG, Kind, Result

UNTRIED = "not tried"
EXTENDED = "its entry adds to the suite"
_STYLES = dict.fromkeys(WRONG, "bold red") | dict.fromkeys(AS_IT_SHOULD, "")
_UNSETTLED = "yellow"
_QUIET = "dim"
_BAD_FIRST = (
    Result.SURVIVED,
    Result.FALSE_REJECT,
    Result.WRONG_REASON,
    Result.ERROR,
    Result.UNDECIDED,
    Result.INACTIVE,
    Result.KILLED,
    Result.PROMOTED,
    None,
)


def headline(document: SelftestDocument) -> str:
    """The figures in a sentence or two; plain text."""
    found = document.matrix
    faults, benign = found.faults, found.benign
    told = [f"{faults.killed} of {_counted(faults.of, 'fault')} killed for the right reason"]
    if found.killed_extended:
        told.append(f"{found.killed_extended} of them by what their entries add to the suite")
    told.append(f"{benign.false_reject} of {_counted(benign.of, 'benign change')} rejected")
    open_ = {
        "not tried": faults.untried + benign.untried,
        "undecided": faults.undecided + benign.undecided,
        "not shown to be active": faults.inactive + benign.inactive,
        "ended in an error": faults.error + benign.error,
    }
    told += [f"{number} {what}" for what, number in open_.items() if number]
    if again := sum(_asked_again(row) for row in found.rows):
        told.append(f"{again} asked more than once")
    return ", ".join(told)


def shares(document: SelftestDocument) -> tuple[str, str]:
    """Detection and false rejects with their bounds, a sentence each; plain text."""
    found = document.matrix
    return (
        f"Detection: {_share(found.detection, 'at least')}.",
        f"False rejects: {_share(found.false_rejects, 'at most')}.",
    )


def mend_first(document: SelftestDocument) -> str:
    """Where the proxy alone, without a fault, does not pass: what is to be mended; plain text, or empty."""
    controls = [row for row in document.matrix.rows if document.proxied and row.entry.kind is Kind.BENIGN]
    trial = controls[0].trial if controls else None
    if trial is None or trial.result in AS_IT_SHOULD:
        return ""
    told = f"Mend first: without a fault, behind a proxy that does nothing, {trial.why or 'it did not pass'}."
    match trial.result:
        case Result.FALSE_REJECT:
            return f"{told} That counts as no kill, and hides faults that only it would show."
        case Result.ERROR:
            return f"{told} Nothing else is tried until that is known."
        case _:
            return f"{told} Faults that only this would show stay undecided."


def tables(document: SelftestDocument, names: frozenset[str] = frozenset()) -> Iterator[TextTable]:
    """The entries, families and checks.

    Args:
        document: Of all entries.
        names: Of the entries to list; none lists all.
    """
    rows = sorted(
        (row for row in document.matrix.rows if not names or row.entry.name in names),
        key=lambda row: _BAD_FIRST.index(row.result),
    )
    kinds = [(Kind.FAULT, "Faults"), (Kind.BENIGN, "Benign changes")]
    if mend_first(document):
        kinds.reverse()
    for kind, title in kinds:
        own = [row for row in rows if row.entry.kind is kind]
        if own:
            yield TextTable(
                title,
                ("entry", "result", "failed", "verdict", "why"),
                tuple(_row(row) for row in own),
                tuple(_style(row.result) for row in own),
            )
    yield TextTable(
        "By family",
        ("family", "faults", "killed", "other", "benign", "promoted", "other"),
        tuple(
            (each.family.value if each.family else "none", *_of(each.faults), *_of(each.benign))
            for each in document.matrix.families
        ),
    )
    if document.matrix.kills:
        yield TextTable(
            "By check",
            ("check", "killed", "not killed"),
            tuple(
                (each.check, str(len(each.killed)), ", ".join(each.missed)) for each in document.matrix.kills
            ),
        )


def markdown(document: SelftestDocument) -> str:
    """All of it, as GitHub shows it."""
    made = (
        f"harness {prose(document.harness_version)}, digest {code(document.digest)}, seed {document.seed}, "
        f"finished {prose(document.finished_at)}"
    )
    parts = [
        f"## Selftest of {prose(document.suite)} ({document.mode.value}): {prose(headline(document))}",
        *(prose(line) for line in (mend_first(document), *shares(document)) if line),
        *(table.markdown() for table in tables(document)),
        made,
    ]
    return "\n\n".join(parts) + "\n"


def result_words(result: Result | None) -> str:
    """As people write it."""
    return UNTRIED if result is None else result.value.replace("_", " ")


def failed_checks(row: Row) -> str:
    """The checks that failed."""
    return ", ".join(row.trial.failed) if row.trial else ""


def why(row: Row) -> str:
    """Of its result; how often it was asked for, and whether the suite was more than the one that ships."""
    trial = row.trial
    told = (
        trial.why if trial else "",
        f"the gate was asked {trial.tries} times" if trial and trial.tries > 1 else "",
        f"{_counted(trial.earlier, 'trial')} before left it open" if trial and trial.earlier else "",
        EXTENDED if row.entry.extended else "",
        f"see {trial.report}" if trial and trial.report and trial.result not in AS_IT_SHOULD else "",
    )
    return "; ".join(filter(None, told))


def _row(row: Row) -> tuple[str, ...]:
    trial = row.trial
    verdict = "" if trial is None or trial.verdict_s is None else seconds(trial.verdict_s)
    return (row.entry.name, result_words(row.result), failed_checks(row), verdict, why(row))


def _asked_again(row: Row) -> bool:
    return row.trial is not None and (row.trial.tries > 1 or row.trial.earlier > 0)


def _style(result: Result | None) -> str:
    return _QUIET if result is None else _STYLES.get(result, _UNSETTLED)


def _of(counts: Counts) -> tuple[str, str, str]:
    right = counts.killed + counts.promoted
    return str(counts.of), str(right), str(counts.of - right)


def _share(share: BoundedShare, side: str) -> str:
    if share.seen is None:
        return "nothing was decided"
    return f"{share.hits} of {share.samples} ({share.seen:.1%}), {bounded(share, side)}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
