"""Two reports beside each other: what is different of the later one; pure and total."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

from harness.history.comparison import (
    CheckChange,
    CheckSeen,
    Comparison,
    FindingChange,
    FindingSeen,
    IdentityChange,
    Movement,
    Run,
)
from harness.history.policies import compare_policies
from harness.model import CheckResult, Finding, Model, Outcome, Report, TargetDescription
from harness.reports.summary import identity

_BEST_FIRST = (
    Outcome.PASS,
    Outcome.WARN,
    Outcome.NOT_APPLICABLE,
    Outcome.SKIP,
    Outcome.INCONCLUSIVE,
    Outcome.ERROR,
    Outcome.FAIL,
)
_OF_ONE_START = frozenset({"Started in", "URL"})
_GIB = 1024**3


class _Named(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T")
N = TypeVar("N", bound=_Named)
Name = tuple[str, ...]


def compare(then: Report, now: Report) -> Comparison:
    """What differs; nothing, where both are the same run."""
    policies = compare_policies(then.policy, now.policy)
    checks = _numbered(then.checks), _numbered(now.checks)
    return Comparison(
        then=_run(then),
        now=_run(now),
        not_comparable=why_not_comparable(then, now),
        asked_otherwise=tuple(
            name[0] for name, one, other in _pairs(*checks) if one and other and _asked(one) != _asked(other)
        ),
        identities=(
            *_identities("candidate", then.candidate, now.candidate),
            *_identities("reference", then.reference, now.reference),
        ),
        policy=policies.changes,
        policy_problem=policies.problem,
        checks=tuple(_by_movement(_check_changes(*checks))),
        findings=tuple(_by_movement(_finding_changes(*checks))),
    )


def why_not_comparable(then: Report, now: Report) -> tuple[str, ...]:
    """What of the circumstances differs, or is not whole; a sentence each."""
    pairs = {
        "Other suites": (then.suite, now.suite),
        "Other kinds of candidate": (then.scope.value, now.scope.value),
        "Other devices": (then.candidate.device, now.candidate.device),
        "Other machines, so times, CPU time and memory do not compare": (
            machine_name(then),
            machine_name(now),
        ),
        "Other references, so what is measured against them does not compare": (
            _name(then.reference),
            _name(now.reference),
        ),
        "Other seeds, so other requests": (str(then.seed), str(now.seed)),
        "Other versions of harness": (then.harness_version, now.harness_version),
    }
    lines = [f"{what}: {one}; {other}." for what, (one, other) in pairs.items() if one != other]
    partial = [name for name, report in (("earlier", then), ("later", now)) if report.partial]
    return (*lines, *(f"The {name} run is partial: it left families out." for name in partial))


def _run(report: Report) -> Run:
    return Run(
        run_id=report.run_id,
        started_at=report.started_at,
        duration_s=report.duration_s,
        suite=report.suite,
        decision=report.decision,
        scope=report.scope,
        partial=report.partial,
        candidate=report.candidate,
        reference=report.reference,
        policy_sha256=report.policy.sha256,
        harness_version=report.harness_version,
    )


def machine_name(report: Report) -> str:
    """What times depend on: processor, cores, memory and GPU."""
    machine = report.environment
    gpu = f", {machine.gpu}" if machine.gpu else ""
    memory_gib = (machine.memory_bytes + _GIB // 2) // _GIB  # a damaged report's may be beyond a float
    return f"{machine.cpu}, {machine.cores} cores, {memory_gib} GiB{gpu}"


def _name(reference: TargetDescription | None) -> str:
    """The bytes, where they are known: a tag may have moved."""
    if reference is None:
        return "none"
    return reference.image_id or reference.repo_digest or reference.model.sha256 or reference.kind.value


def _asked(check: CheckResult) -> tuple[str, dict[str, str]]:
    return check.settings_sha256, check.inputs


def _identities(
    role: str, then: TargetDescription | None, now: TargetDescription | None
) -> Iterator[IdentityChange]:
    one, other = (identity(target) if target else {} for target in (then, now))
    for label in dict.fromkeys([*one, *other]):
        if label not in _OF_ONE_START and one.get(label) != other.get(label):
            yield IdentityChange(what=f"{role}: {label}", then=one.get(label), now=other.get(label))


def _numbered(items: Iterable[N], prefix: Name = ()) -> dict[Name, N]:
    """By id; where an id stands more than once, by its number too, so that none is lost."""
    seen: Counter[str] = Counter()
    named = {}
    for item in items:
        named[*prefix, item.id, str(seen[item.id])] = item
        seen[item.id] += 1
    return named


def _pairs(then: Mapping[Name, T], now: Mapping[Name, T]) -> Iterator[tuple[Name, T | None, T | None]]:
    for name in dict.fromkeys([*then, *now]):
        yield name, then.get(name), now.get(name)


def _check_changes(
    then: Mapping[Name, CheckResult], now: Mapping[Name, CheckResult]
) -> Iterator[CheckChange]:
    for name, one, other in _pairs(then, now):
        before, after = one and _check_seen(one), other and _check_seen(other)
        if not _alike(before, after, but={"duration_s"}):
            yield CheckChange(check_id=name[0], movement=_movement(one, other), then=before, now=after)


def _finding_changes(
    then: Mapping[Name, CheckResult], now: Mapping[Name, CheckResult]
) -> Iterator[FindingChange]:
    for name, one, other in _pairs(_findings(then), _findings(now)):
        before, after = one and _finding_seen(one), other and _finding_seen(other)
        if not _alike(before, after, but={"message", "samples"}):
            movement = _movement(one, other)
            yield FindingChange(
                check_id=name[0], finding_id=name[-2], movement=movement, then=before, now=after
            )


def _findings(checks: Mapping[Name, CheckResult]) -> dict[Name, Finding]:
    return {
        name: finding
        for prefix, check in checks.items()
        for name, finding in _numbered(check.findings, prefix).items()
    }


def _check_seen(check: CheckResult) -> CheckSeen:
    return CheckSeen(
        outcome=check.outcome,
        required=check.required,
        executed=check.executed,
        expected=check.expected,
        duration_s=check.duration_s,
    )


def _finding_seen(finding: Finding) -> FindingSeen:
    return FindingSeen(
        outcome=finding.outcome,
        message=finding.message,
        observed=finding.observed,
        limit=finding.limit,
        unit=finding.unit,
        samples=finding.samples,
        lower=finding.lower,
        upper=finding.upper,
        waiver=finding.waiver,
    )


def _alike(then: Model | None, now: Model | None, *, but: set[str]) -> bool:
    """Whether two agree, leaving some fields out; a number that is none agrees with itself."""
    if then is None or now is None:
        return then is now
    one, other = then.model_dump(exclude=but), now.model_dump(exclude=but)
    return all(_equal(one[field], other[field]) for field in one)


def _equal(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return one == other and type(one) is type(other)


def _movement(then: CheckResult | Finding | None, now: CheckResult | Finding | None) -> Movement:
    if then is None:
        return Movement.APPEARED
    if now is None:
        return Movement.DISAPPEARED
    before, after = _BEST_FIRST.index(then.outcome), _BEST_FIRST.index(now.outcome)
    return Movement.WORSE if after > before else Movement.BETTER if after < before else Movement.MOVED


C = TypeVar("C", CheckChange, FindingChange)


def _by_movement(changes: Iterable[C]) -> list[C]:
    """What is worse or newly bad first, and of that the worst; else in the order of the reports."""
    order = list(Movement)

    def place(change: C) -> tuple[bool, int, int]:
        badness = _BEST_FIRST.index(change.now.outcome) if change.now else 0
        news = change.movement in {Movement.WORSE, Movement.APPEARED}
        bad = news and badness > _BEST_FIRST.index(Outcome.NOT_APPLICABLE)
        return not bad, 0 if bad else order.index(change.movement), -badness

    return sorted(changes, key=place)
