"""Judges a served OpenAPI document against the frozen one; pure."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.checks.contract.fetch import Served
from harness.checks.contract.settings import ContractLimits
from harness.checks.interface import EVIDENCE_FILE, Evidence
from harness.model import Finding, Outcome, Scalar
from harness.openapi import Change, OpenAPIError, Severity, diff
from harness.openapi.load import parse_json
from harness.openapi.model import shorten, show
from harness.openapi.render import printable
from harness.openapi.version import Version, api_version

MOST_FINDINGS = 100
MOST_CHARACTERS = 1000
"""Of what a finding says: a path or a property of the served document may have a name of megabytes."""
MOST_NAMED = 3
ID_DIGITS = 12
# That a caller needs less than was agreed is accepted only by freezing another document.
NEVER_WAIVED = frozenset({"security-requirement-removed", "security-requirement-loosened"})
FROZEN, SERVED = "frozen document", "served document"


class ContractEvidence(Evidence):
    """Both documents, so that another policy can judge them again.

    Attributes:
        frozen: The frozen document as JSON text.
        served: What the candidate answered.
        reproduce: Shell command that fetches and compares again.
    """

    frozen: str
    served: Served
    reproduce: str


@dataclass(frozen=True)
class _Seen:
    """One change with all the operations that show it."""

    change: Change
    operations: tuple[str, ...]

    @property
    def finding(self) -> str:
        """Name of its finding: the rule, and of which change, so that a waiver of it covers no other."""
        return f"{self.change.rule}.{digest(self.change.pointer, self.change.message)}"


def served_document(served: Served) -> Any:
    """The JSON that was served.

    Raises:
        ValueError: saying what was served instead.
    """
    if served.problem:
        raise ValueError(served.problem)
    try:
        return parse_json(served.text.encode())
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None


def judge_documents(check_id: str, evidence: ContractEvidence, limits: ContractLimits) -> list[Finding]:
    """One finding for each change, one on the version where some break callers, and one that sums up."""
    judge = _Judge(check_id, evidence, limits)
    try:
        new = served_document(evidence.served)
    except ValueError as error:
        return [judge.finding("served", Outcome.FAIL, f"no OpenAPI document served: {error}")]
    frozen = json.loads(evidence.frozen)
    try:
        changes = diff(frozen, new, names=(FROZEN, SERVED))
    except OpenAPIError as error:
        outcome = Outcome.ERROR if error.document == FROZEN else Outcome.FAIL
        return [judge.finding("served", outcome, f"documents cannot be compared: {error}")]
    return list(judge.findings(changes, (api_version(frozen), api_version(new))))


class _Judge:
    """Makes the findings of one comparison."""

    def __init__(self, check_id: str, evidence: ContractEvidence, limits: ContractLimits) -> None:
        self._check_id = check_id
        self._evidence = evidence
        self._limits = limits

    def findings(self, changes: Iterable[Change], versions: tuple[Version, Version]) -> Iterator[Finding]:
        by_severity: dict[Severity, list[_Seen]] = {severity: [] for severity in Severity}
        for seen in _distinct(changes):
            severity = self._limits.severity.get(seen.change.rule, seen.change.severity)
            by_severity[severity].append(seen)
        yield from self._each(by_severity[Severity.ERROR], Outcome.FAIL)
        yield from self._each(by_severity[Severity.WARNING], Outcome.WARN)
        if breaking := by_severity[Severity.ERROR]:
            yield self._major_version(len(breaking), *versions)
        else:
            yield self.finding(
                "breaking",
                Outcome.PASS,
                f"{self._evidence.expected} operations compared, no breaking change",
                observed=0,
                limit=0,
                unit="breaking changes",
            )
        if compatible := by_severity[Severity.INFO]:
            yield self.finding(
                "compatible",
                Outcome.PASS,
                f"{len(compatible)} compatible changes",
                observed=len(compatible),
                unit="compatible changes",
            )
            yield from self._each(compatible, Outcome.PASS)

    def _major_version(self, breaking: int, old: Version, new: Version) -> Finding:
        """Waivers accept single changes; that callers can tell by the version is not theirs to give up."""
        is_new = old.major is not None and new.major is not None and new.major > old.major
        if is_new:
            message = f"{breaking} breaking changes under a new MAJOR version"
        else:
            message = f"{breaking} breaking changes without a new MAJOR version in info.version"
        return self.finding(
            "major-version",
            Outcome.PASS if is_new else Outcome.FAIL,
            f"{message}: {old.text or 'none'}, now {new.text or 'none'}",
            observed=new.text,
            limit=old.text,
            waivable=False,
        )

    def _each(self, changes: Sequence[_Seen], outcome: Outcome) -> Iterator[Finding]:
        for seen in changes[:MOST_FINDINGS]:
            change = seen.change
            old, new = _scalar(change.old), _scalar(change.new)
            waivable = change.rule not in NEVER_WAIVED
            yield self.finding(seen.finding, outcome, _text(seen), observed=new, limit=old, waivable=waivable)
        if more := changes[MOST_FINDINGS:]:
            name = f"more-{outcome}.{digest(*sorted(seen.finding for seen in more))}"
            message = f"{len(more)} more changes of this kind"
            yield self.finding(name, outcome, message, observed=len(changes), unit="changes")

    def finding(
        self,
        name: str,
        outcome: Outcome,
        message: str,
        *,
        observed: Scalar = None,
        limit: Scalar = None,
        unit: str = "",
        waivable: bool = True,
    ) -> Finding:
        return Finding(
            id=f"{self._check_id}.{name}",
            outcome=outcome,
            message=printable(shorten(message, MOST_CHARACTERS)),
            observed=_short(observed),
            limit=_short(limit),
            unit=unit,
            samples=self._evidence.executed,
            evidence=f"{self._check_id}/{EVIDENCE_FILE}",
            reproduce=self._evidence.reproduce,
            waivable=waivable,
        )


def _distinct(changes: Iterable[Change]) -> list[_Seen]:
    """A change in a component shows in every operation that uses it, and is still one change."""
    groups: dict[tuple[str, str, str], list[Change]] = {}
    for change in changes:
        groups.setdefault((change.rule, change.pointer, change.message), []).append(change)
    return [_Seen(group[0], tuple(each.operation for each in group)) for group in groups.values()]


def digest(*texts: str) -> str:
    """Short, and the same for the same texts in every run."""
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:ID_DIGITS]


def _text(seen: _Seen) -> str:
    operations = _named(name for name in seen.operations if name)
    where = f"{operations}: " if operations else ""
    return f"{where}{seen.change.message} [{seen.change.rule}] at {seen.change.pointer}"


def _named(texts: Iterable[str]) -> str:
    listed = list(texts)
    more = f" and {len(listed) - MOST_NAMED} more" if len(listed) > MOST_NAMED else ""
    return f"{', '.join(listed[:MOST_NAMED])}{more}"


def _scalar(value: Any) -> Scalar:
    return value if value is None or isinstance(value, bool | int | float | str) else show(value)


def _short(value: Scalar) -> Scalar:
    return shorten(value, MOST_CHARACTERS) if isinstance(value, str) else value
