"""Judges telemetry: exact counts, durations that clients could have seen, ids that the log has; pure."""

import math
from collections import Counter
from collections.abc import Iterator

from harness.checks.interface import EVIDENCE_FILE
from harness.checks.telemetry.evidence import TelemetryEvidence
from harness.checks.telemetry.settings import TelemetryLimits
from harness.model import Finding, Outcome

SUCCESS = range(200, 300)
MOST_TOLD = 5
LOG_CUT = "the log is too long to be kept: its beginning may be lost"


def judge_telemetry(check_id: str, evidence: TelemetryEvidence, limits: TelemetryLimits) -> list[Finding]:
    """Findings ``<check>.scrape``, then one for each thing that the suite names, and ``<check>.secrets``."""
    return [_finding(check_id, name, problems, evidence) for name, problems in _problems(evidence, limits)]


def agrees(evidence: TelemetryEvidence, limits: TelemetryLimits) -> bool:
    """Whether nothing is wrong (any more)."""
    return not any(found for _, found in _problems(evidence, limits) if isinstance(found, list))


def _problems(evidence: TelemetryEvidence, limits: TelemetryLimits) -> Iterator[tuple[str, list[str] | str]]:
    """What is wrong, by finding; where nothing can be said, why."""
    yield "scrape", [evidence.problem] if evidence.problem else []
    if evidence.refused:
        yield "refused", list(_unrefused(evidence))
    unread = "the metrics could not be read" if evidence.counted is None else ""
    if evidence.request_counter:
        yield "requests", unread or list(_miscounted(evidence))
    if evidence.inference_counter:
        yield "inferences", unread or list(_misinferred(evidence))
    if evidence.duration_histogram:
        slack_s = limits.bucket_slack_ms / 1000
        yield "duration", unread or list(_mistimed(evidence, slack_s))
        yield "duration_buckets", unread or list(_misfiled(evidence, slack_s))
    if evidence.rejection_counters:
        yield "rejections", unread or list(_unrejected(evidence)) or _unseen(evidence)
    if evidence.request_id_header:
        yield "request_id", list(_lost_ids(evidence))
    leaks = [f"a secret of this run stands in the {where}" for where in evidence.leaked]
    yield "secrets", LOG_CUT if evidence.log_cut and not leaks else leaks


def _miscounted(evidence: TelemetryEvidence) -> Iterator[str]:
    counted = evidence.counted.requests if evidence.counted else {}
    sent = Counter(f"{each.path} {each.status}" for each in evidence.sent if each.status is not None)
    for name, times in sorted(sent.items()):
        if counted.get(name) != times:
            yield f"{name}: {times} answers, counted {_shown(counted.get(name))}"


def _misinferred(evidence: TelemetryEvidence) -> Iterator[str]:
    answered = sum(each.status in SUCCESS for each in evidence.sent[: evidence.golden])
    counted = evidence.counted.inferences if evidence.counted else None
    if counted != answered:
        yield f"{answered} rows answered, counted {_shown(counted)}"


def _mistimed(evidence: TelemetryEvidence, slack_s: float) -> Iterator[str]:
    """A service cannot have taken longer than its clients waited, but for its clock's end, nor no time."""
    counted = evidence.counted.durations if evidence.counted else {}
    for path in sorted({each.path for each in evidence.sent}):
        answered = [each for each in evidence.sent if each.path == path and each.status is not None]
        waited_s = math.fsum(each.seconds for each in answered)
        count, total_s = counted.get(path, (None, None))
        if count != len(answered):
            yield f"{path}: {len(answered)} answers, observed {_shown(count)}"
        elif total_s is None or not 0 < total_s <= waited_s + count * slack_s:
            yield f"{path}: clients waited {waited_s:.4g} s in all, the sum rose by {_shown(total_s)}"


def _misfiled(evidence: TelemetryEvidence, slack_s: float) -> Iterator[str]:
    """What a client had within a bound, the service had too: it counts at least as many up to there."""
    for path, buckets in evidence.counted.buckets.items() if evidence.counted else ():
        waited_s = [each.seconds for each in evidence.sent if each.path == path and each.status is not None]
        last, all_counted = buckets[-1] if buckets else (0.0, 0.0)
        if last != math.inf or all_counted != len(waited_s):
            yield f"{path}: {len(waited_s)} answers, the last bucket counted {all_counted:g}"
        for bound, counted in buckets:
            within = sum(seconds + slack_s <= bound for seconds in waited_s)
            if not within <= counted <= len(waited_s):
                yield f"{path}: {within} clients waited at most {bound:g} s, counted {counted:g}"
        counts = [counted for _, counted in buckets]
        if counts != sorted(counts):
            yield f"{path}: a larger bucket counted fewer than a smaller one"


def _unrefused(evidence: TelemetryEvidence) -> Iterator[str]:
    """Of the repeats one is enough: a quota refuses only what goes beyond it."""
    asked = evidence.sent[evidence.golden :]
    for number, declared in enumerate(evidence.refused):
        repeats = asked[number :: len(evidence.refused)]
        if not repeats and evidence.executed < evidence.expected:
            continue  # it was not sent any more
        if not any(each.status == declared for each in repeats):
            statuses = dict.fromkeys("nothing" if each.status is None else each.status for each in repeats)
            path = repeats[0].path if repeats else "never sent"
            yield f"refused[{number}], {path}: declared {declared}, answered {', '.join(map(str, statuses))}"


def _unseen(evidence: TelemetryEvidence) -> list[str] | str:
    """Nothing was wrong, and nothing was checked, where no answer had the status that is counted."""
    statuses = {each.status for each in evidence.sent}
    unseen = [counter for counter in evidence.rejection_counters if counter.status not in statuses]
    return "; ".join(f"{each.metric}: no answer was {each.status}" for each in unseen) or []


def _unrejected(evidence: TelemetryEvidence) -> Iterator[str]:
    for counter in evidence.rejection_counters:
        refused = sum(each.status == counter.status for each in evidence.sent)
        counted = evidence.counted.rejections.get(counter.metric) if evidence.counted else None
        if counted != refused:
            yield f"{counter.metric}: {refused} answers {counter.status}, counted {_shown(counted)}"


def _lost_ids(evidence: TelemetryEvidence) -> Iterator[str]:
    answered = [each for each in evidence.sent if each.status is not None]
    ids = Counter(each.request_id for each in answered)
    if missing := ids.pop(None, 0):
        yield f"{missing} answers without {evidence.request_id_header}"
    if other := [each for each in answered if each.given_id not in {None, each.request_id}]:
        given, named = other[0].given_id, other[0].request_id or "nothing"
        yield f"{len(other)} answers do not name the id that was sent, such as {given}: {named}"
    if repeated := [name for name, times in ids.items() if times > 1]:
        yield f"{len(repeated)} ids name several requests, such as {repeated[0]}"
    for each in answered:
        if each.request_id and each.logged is not None and each.logged != 1:
            lines = "no line" if not each.logged else f"{each.logged} lines"
            yield f"{each.path}, answered {each.status}: {lines} of the log with its id {each.request_id}"


def _shown(value: float | None) -> str:
    return "nothing: there is no such metric" if value is None else f"{value:g}"


def _finding(check_id: str, name: str, found: list[str] | str, evidence: TelemetryEvidence) -> Finding:
    problems = [] if isinstance(found, str) else found
    told = "; ".join(problems[:MOST_TOLD])
    more = len(problems) - MOST_TOLD
    unlogged = name == "request_id" and any(each.logged is None for each in evidence.sent)
    good = {
        "scrape": "the metrics can be read",
        "refused": "each request to be refused was answered with its declared status",
        "secrets": "no secret of this run in metrics or log",
        "request_id": "each answer has an id of its own"
        + ("" if unlogged else ", and one line of the log has it"),
    }.get(name, f"what {len(evidence.sent)} requests were answered is what was counted")
    undecided = isinstance(found, str)
    return Finding(
        id=f"{check_id}.{name}",
        outcome=Outcome.INCONCLUSIVE if undecided else Outcome.FAIL if problems else Outcome.PASS,
        message=found
        if isinstance(found, str)
        else told + (f"; and {more} more" if more > 0 else "") or good,
        observed=None if undecided else len(problems),
        limit=0,
        unit="disagreements",
        samples=len(evidence.sent),
        evidence=f"{check_id}/{EVIDENCE_FILE}",
    )
