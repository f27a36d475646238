"""Members of an answer that no output declares: found when it is read, judged later."""

from collections.abc import Iterable, Iterator
from typing import Any

from harness.checks.golden.evidence import GoldenEvidence, evidence_path
from harness.checks.golden.wire import cut
from harness.model import Finding, Outcome

MOST_TOLD = 8


def undeclared(document: Any, declared: Iterable[str]) -> tuple[str, ...]:
    """Pointers to what is neither at, nor above, nor below a declared pointer; at most 8, each cut short."""
    found = _undeclared(document, "", [*declared])
    return tuple(cut(pointer) for pointer, _ in zip(found, range(MOST_TOLD), strict=False))


def _undeclared(value: Any, pointer: str, declared: list[str]) -> Iterator[str]:
    if pointer in declared:
        return
    if not any(each.startswith(f"{pointer}/") for each in declared):
        yield pointer
        return
    match value:
        case dict():
            children = (
                (str(key).replace("~", "~0").replace("/", "~1"), child) for key, child in value.items()
            )
        case list():
            children = ((str(index), child) for index, child in enumerate(value))
        case _:
            return
    for token, child in children:
        yield from _undeclared(child, f"{pointer}/{token}", declared)


def judge_members(check_id: str, evidence: GoldenEvidence) -> Finding:
    """Finding ``<check>.members``: whether answers hold what the suite neither declares nor ignores."""
    answered = larger = 0
    first = ""
    for case in evidence.cases:
        answered += not case.problem
        if case.extra:
            larger += 1
            first = first or f"{case.id} has {', '.join(case.extra)}"
    if larger:
        outcome, message = Outcome.FAIL, f"{larger} of {answered} answers hold more; {first}"
    elif answered:
        outcome, message = Outcome.PASS, f"{answered} answers hold nothing but what is declared"
    else:
        outcome, message = Outcome.INCONCLUSIVE, "no answer to look at"
    return Finding(
        id=f"{check_id}.members",
        outcome=outcome,
        message=cut(message, 300),
        observed=larger,
        limit=0,
        unit="answers with more",
        samples=answered,
        evidence=evidence_path(check_id),
    )
