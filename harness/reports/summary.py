"""What every rendering says first: the verdict in a sentence, its caveats, the families."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness.model import (
    WORST_FIRST,
    BoundedShare,
    CheckResult,
    Decision,
    Direction,
    Family,
    Finding,
    Outcome,
    Report,
    Scope,
    TargetDescription,
)
from harness.reports.causes import causes
from harness.reports.text import bounded, declared, seconds

_UNSETTLED = frozenset({Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.SKIP})
_QUIET = frozenset({Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.SKIP})
_MOST_NAMED = 3


@dataclass(frozen=True)
class FamilyResult:
    """The checks of one family; ``outcome`` is the worst among them."""

    family: Family
    checks: tuple[CheckResult, ...]

    @property
    def outcome(self) -> Outcome:
        """The outcome that a reader has to know of."""
        return min((check.outcome for check in self.checks), key=WORST_FIRST.index)

    @property
    def duration_s(self) -> float:
        """Of all its checks."""
        return sum(check.duration_s for check in self.checks)


def families(report: Report) -> tuple[FamilyResult, ...]:
    """The families that the report has checks of, in the order of :class:`Family`."""
    grouped = (
        FamilyResult(family, tuple(check for check in report.checks if check.family is family))
        for family in Family
    )
    return tuple(result for result in grouped if result.checks)


def headline(report: Report) -> str:
    """The verdict in one sentence, without the decision's own name; plain text."""
    named = {check_id.partition(".")[0] for check_id in report.only_checks}
    whole = [result.family.value for result in families(report) if result.family.value not in named]
    asked = ", ".join([*whole, *report.only_checks])
    if report.replay:
        replayed = _count(len(report.replay), "stored request")
        return f"{_decided(report)}, of a replay of {replayed} only (partial)"
    return f"{_decided(report)}, of {asked} only (partial)" if report.partial else _decided(report)


def _decided(report: Report) -> str:
    required = [check for check in report.checks if check.required]
    match report.decision:
        case Decision.PROMOTE:
            applicable = [check for check in required if check.outcome is not Outcome.NOT_APPLICABLE]
            left = len(required) - len(applicable)
            spared = f", {left} not applicable" if left else ""
            every = "" if len(applicable) == 1 else "all "
            return f"{every}{_count(len(applicable), 'required check')} passed{spared}"
        case Decision.REJECT:
            failed = [check.id for check in required if check.outcome is Outcome.FAIL]
            told = _named(failed, len(required), "failed") or _first_reason(report)
            undecided = {cause.reason.check_id for cause in causes(report).besides} - set(failed)
            return f"{told}; {len(undecided)} undecided" if undecided else told
        case Decision.INCONCLUSIVE:
            unsettled = [check.id for check in required if check.outcome in _UNSETTLED]
            return _named(unsettled, len(required), "without a judgement") or _first_reason(report)


def caveats(report: Report) -> tuple[str, ...]:
    """What the verdict does not cover, a sentence each; plain text."""
    missing = sum(check.outcome is Outcome.NOT_APPLICABLE for check in report.checks)
    silent = len(report.not_declared)
    undeclared = "1 thing is" if silent == 1 else f"{silent} things are"
    ran_as = "local process" if report.scope is Scope.PROCESS else "remote URL"
    lines = {
        f"The candidate ran as a {ran_as}, not as a container: what only an image shows was not checked.": (
            report.scope is not Scope.CONTAINER
        ),
        "Partial: families were left out by --only or --skip. This verdict cannot promote a release.": (
            report.partial and not report.replay
        ),
        "Partial: stored requests were replayed instead of the fuzz family's own. "
        "This is no pass of fuzz, and cannot promote a release.": bool(report.replay),
        "There was no reference: relative limits were not applied.": report.reference is None,
        f"{_count(missing, 'check')} not applicable; each says why.": missing > 0,
        f"{undeclared} not declared by the suite, so not checked; the report lists them.": silent > 0,
        f"Waivers without a finding in this run: {', '.join(report.unused_waivers)}.": bool(
            report.unused_waivers
        ),
        f"Limits were not compared with those of a release: {report.limits_not_compared}.": bool(
            report.limits_not_compared
        ),
    }
    return (*(line for line, applies in lines.items() if applies), *_since_last_promote(report))


def loosened(report: Report) -> tuple[tuple[str, str, str, str], ...]:
    """Key, way, earlier and present value of each limit that the caveat about the last promote is of.

    Keys and values are untrusted.
    """
    since = report.since_last_promote
    return tuple(
        (change.key, change.direction.value, declared(change.old), declared(change.new))
        for change in (since.changes if since else ())
    )


def stands_on(report: Report) -> str:
    """What the last selftest showed of the gate itself, or that there is none."""
    record = report.selftest
    if record is None:
        return "This gate stands on no selftest: none is in the folder of reports."
    injected = " by the proxy" if record.proxied else ""
    killed = _of_those(record.detection, "faults met", "at least")
    if record.killed_extended:
        killed += f", {record.killed_extended} of them by what their entries add to the suite"
    rejected = _of_those(record.false_rejects, "benign changes decided", "at most")
    open_ = {
        "undecided": record.undecided,
        "not shown to be active": record.inactive,
        "ended in an error": record.error,
        "not tried": record.untried,
    }
    told = ", ".join(f"{number} {what}" for what, number in open_.items() if number)
    return " ".join(
        [
            f"The gate's selftest{injected} ({record.mode}) of {record.finished_at}, {record.path}.",
            f"Killed for the right reason: {killed}. Rejected: {rejected}.",
            *([f"Of all {record.faults + record.benign}: {told}."] if told else []),
            *([f"It says little of this run: {record.stale}."] if record.stale else []),
        ]
    )


def _of_those(share: BoundedShare, samples: str, side: str) -> str:
    return f"{share.hits} of {share.samples} {samples}{f', {bounded(share, side)}' if share.samples else ''}"


def _since_last_promote(report: Report) -> tuple[str, ...]:
    since = report.since_last_promote
    if since is None or not (since.changes or since.problem):
        return ()
    release = since.image or since.repo_digest or since.image_id or "unnamed"
    of = f"run {since.run_id}, which promoted {release}"
    if since.problem:
        return (f"Limits were not compared with those of {of}: {since.problem}.",)
    counts = Counter(change.direction for change in since.changes)
    told = " and ".join(f"{counts[way]} {way.value}" for way in Direction if counts[way])
    return (f"Of what the policy demands, {told} since {of}.",)


def needs_attention(finding: Finding) -> bool:
    """Whether a reader should see all of it."""
    return finding.outcome not in _QUIET or finding.waiver is not None


def why(check: CheckResult) -> str:
    """Why a check has the outcome it has, beyond its findings; empty when there is nothing to say."""
    error = f"{check.error.kind.value} error: {check.error.message}" if check.error else ""
    missing = f"needs a {check.missing.value}" if check.missing and not check.reason else ""
    return ". ".join(part for part in (check.reason, error, missing) if part)


def side_by_side(report: Report) -> Sequence[tuple[str, str, str]]:
    """Label, candidate's value and reference's value of all that is known of either; values are untrusted."""
    candidate = identity(report.candidate)
    reference = identity(report.reference) if report.reference else {}
    labels = dict.fromkeys([*candidate, *reference])
    return [(label, candidate.get(label, ""), reference.get(label, "")) for label in labels]


def release_name(target: TargetDescription) -> str:
    """What a person calls it: as the run named it, or else by its bytes; untrusted."""
    return target.image or target.repo_digest or target.image_id or target.url or target.kind.value


def identity(target: TargetDescription) -> dict[str, str]:
    """All that is known of a target, by label; values are untrusted."""
    known = {
        "Kind": target.kind.value,
        "Image": target.image,
        "Image id": target.image_id,
        "Repository digest": target.repo_digest,
        "URL": target.url,
        "Model": target.model.name,
        "Model version": target.model.version,
        "Model SHA-256": target.model.sha256,
        "Device": target.device,
        "Execution provider": target.execution_provider,
        "Nodes of the model": _nodes(target),
        "Started in": None if target.startup_s is None else seconds(target.startup_s),
    }
    return {label: value for label, value in known.items() if value}


def _nodes(target: TargetDescription) -> str:
    nodes = target.nodes_by_provider or {}
    return ", ".join(f"{count} on {provider}" for provider, count in nodes.items())


def _first_reason(report: Report) -> str:
    return report.reasons[0].message if report.reasons else "the report names no reason"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _named(ids: Sequence[str], of: int, what: str) -> str:
    if not ids:
        return ""
    more = f" and {len(ids) - _MOST_NAMED} more" if len(ids) > _MOST_NAMED else ""
    return f"{len(ids)} of {_count(of, 'required check')} {what}: {', '.join(ids[:_MOST_NAMED])}{more}"
