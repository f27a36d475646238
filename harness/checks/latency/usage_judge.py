"""Judges what the sides used while they were asked: CPU time per answered request, and memory.

All CPU time of a block counts, that between its requests too: what a service burns in the background is paid
by the requests that it answered meanwhile.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.checks.interface import EVIDENCE_FILE
from harness.checks.latency.decided import Judged, decided
from harness.checks.latency.findings import CHECK_ID, finding
from harness.checks.latency.view import SideView, View
from harness.load.samples import MS
from harness.model import Capability, Finding, Outcome
from harness.stats.cost import judge_cost, log_costs
from harness.stats.groups import group_of_block
from harness.stats.judgement import Judgement, Shown, both_show

Side = Literal["candidate", "reference"]
REFERENCE, CANDIDATE = 0, -1
"""Their places in a row of `Usage`, where there are two; the candidate's also where it is alone."""


def judge_usage(view: View) -> Iterator[Judged]:
    """Return findings for CPU time and memory, and the throughput, which has no limit."""
    yield beside(cpu_ratio(view))
    if view.limits.cpu.max_ms is not None:
        yield beside(cpu_limit(view, view.limits.cpu.max_ms))
    for item in (memory_limit(view), memory_ratio(view)):
        if item is not None:
            yield beside(item)
    yield Judged(finding=_throughput(view))


def cpu_ratio(view: View) -> Judged:
    """Judge the CPU time of an answered request against the reference's.

    A doubt about the measurement excuses no excess: generator and machine do to one side what they do to the
    other, and how many requests were answered is known.
    """
    name, limit = "cpu.ratio", 1.0 + view.limits.cpu.margin
    if view.reference is None:
        message = "there is no reference to compare CPU time with"
        return Judged(finding=_not_applicable(name, message, Capability.REFERENCE))
    rows = _told(view.usage.cpu_of(CANDIDATE), view.usage.cpu_of(REFERENCE))
    if not rows.size:
        side: Side = "reference" if _told(view.usage.cpu_of(CANDIDATE)).size else "candidate"
        return not_told(view, name, side, "CPU time", declared=False)
    if view.void:
        message = f"{view.reference.failures} requests to the reference failed, which voids the comparison"
        void = finding(name, Outcome.INCONCLUSIVE, message, samples=view.samples)
        return Judged(finding=void, growth=math.inf)
    own, theirs = (
        _log_ms(view, view.candidate, CANDIDATE, rows),
        _log_ms(view, view.reference, REFERENCE, rows),
    )
    if not np.isfinite(own - theirs).all():
        return _unanswered(view, name)
    judgement = judge_cost(own - theirs, limit=limit, spending=view.spending)
    if view.reference.failures:
        # What its failed requests cost is in the reference's answered ones, which flatters the candidate.
        answering = replace(view.reference, failed=np.zeros_like(view.reference.failed))
        least = _log_ms(view, answering, REFERENCE, rows)
        judgement = both_show(judgement, judge_cost(own - least, limit=limit, spending=view.spending))
    # A machine that was late does not make one side compute more; a generator that failed may have.
    sure = judgement.shown is Shown.BEYOND and view.doubt.lag_ms is not None
    decision = decided(view, judgement, limit, surely_broken=sure)
    text = (
        f"an answered request takes {judgement.observed:.3f} times the CPU time of the reference's "
        f"({math.exp(own.mean()):.3f} ms against {math.exp(theirs.mean()):.3f} ms; {_interval(judgement)}), "
        f"allowed are {limit:.3f}"
    )
    return decision.judged(
        name, text, view=view, judgement=judgement, limit=limit, unit="times the reference"
    )


def cpu_limit(view: View, limit_ms: float) -> Judged:
    """Judge the CPU time of an answered request."""
    name = "cpu.limit"
    rows = _told(view.usage.cpu_of(CANDIDATE))
    if not rows.size:
        return not_told(view, name, "candidate", "CPU time")
    logs = _log_ms(view, view.candidate, CANDIDATE, rows)
    if not np.isfinite(logs).all():
        return _unanswered(view, name)
    judgement = judge_cost(logs, limit=limit_ms, spending=view.spending)
    decision = decided(view, judgement, limit_ms)
    text = (
        f"an answered request takes {judgement.observed:.3f} ms of CPU time ({_interval(judgement)}), "
        f"allowed are {limit_ms:g} ms"
    )
    return decision.judged(name, text, view=view, judgement=judgement, limit=limit_ms, unit="ms")


def memory_limit(view: View) -> Judged | None:
    """Hold the most that the candidate held against its limit; where none is declared, report it."""
    limit_mib, peak_mib = view.limits.memory.max_mib, view.usage.peak_mib(CANDIDATE)
    if peak_mib is None:
        return None if limit_mib is None else not_told(view, "memory.limit", "candidate", "memory")
    allowed = "no limit is declared" if limit_mib is None else f"allowed are {limit_mib:g}"
    return Judged(
        finding=finding(
            "memory" if limit_mib is None else "memory.limit",
            Outcome.PASS if limit_mib is None or peak_mib <= limit_mib else Outcome.FAIL,
            f"it held at most {peak_mib:.1f} MiB at the end of a block, {allowed}",
            samples=view.samples,
            observed=peak_mib,
            limit=limit_mib,
            unit="MiB",
        )
    )


def memory_ratio(view: View) -> Judged | None:
    """Hold the most that the candidate held against the reference's, where a margin is declared.

    Two observed maxima have no interval: they are held against each other once, where the load has ended, and
    not in a measurement that cannot be believed.
    """
    name, margin = "memory.ratio", view.limits.memory.margin
    if margin is None:
        return None
    if view.reference is None:
        message = "there is no reference to compare memory with"
        return Judged(finding=_not_applicable(name, message, Capability.REFERENCE))
    own_mib, their_mib = view.usage.peak_mib(CANDIDATE), view.usage.peak_mib(REFERENCE)
    if own_mib is None:
        return not_told(view, name, "candidate", "memory")
    if not their_mib:
        return not_told(view, name, "reference", "memory")
    limit = 1.0 + margin
    doubt = "the reference failed too often" if view.void else view.doubt.why
    outcome = Outcome.PASS if own_mib <= limit * their_mib else Outcome.FAIL
    return Judged(
        finding=finding(
            name,
            Outcome.INCONCLUSIVE if doubt else outcome,
            f"it held at most {own_mib:.1f} MiB, {own_mib / their_mib:.3f} times the reference's "
            f"{their_mib:.1f} MiB; allowed are {limit:.3f}"
            + (f"; not decided, since {doubt}" if doubt else ""),
            samples=view.samples,
            observed=own_mib / their_mib,
            limit=limit,
            unit="times the reference",
        ),
        growth=math.inf if doubt else 1.0,
    )


def beside(judged: Judged) -> Judged:
    """Return it with the file that the numbers lie in, which is not that of the samples."""
    evidence = f"{CHECK_ID}/{EVIDENCE_FILE}"
    return replace(judged, finding=judged.finding.model_copy(update={"evidence": evidence}))


def _throughput(view: View) -> Finding:
    """Report how many requests a second were answered; the rate of arrivals bounds it, and no limit."""

    def rate(side: SideView) -> float:
        return float((~side.failed).sum()) / view.load_s

    beside = "" if view.reference is None else f" (the reference {rate(view.reference):.1f})"
    return finding(
        "throughput",
        Outcome.PASS,
        f"it answered {rate(view.candidate):.1f} requests a second{beside}; {view.rate_per_s:g} were due",
        samples=view.samples,
        observed=rate(view.candidate),
        unit="answered requests a second",
    )


def _told(*columns: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the rows in which all columns have a number."""
    return np.flatnonzero(np.isfinite(np.stack(columns)).all(axis=0))


def _log_ms(view: View, side: SideView, number: int, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the logarithm of each group's CPU ms of an answered request; a row begins where one ended."""
    answered = np.cumsum(np.bincount(view.blocks, weights=~side.failed))[rows]
    return log_costs(
        MS * view.usage.cpu_of(number)[rows], np.diff(answered, prepend=0.0), group_of_block(rows.size)
    )


def _interval(judgement: Judgement) -> str:
    return f"interval {judgement.lower:.3f} to {judgement.upper:.3f}"


def _unanswered(view: View, name: str) -> Judged:
    message = "in a part of the load nothing was answered, or took no CPU time"
    undecided = finding(name, Outcome.INCONCLUSIVE, message, samples=view.samples)
    return Judged(finding=undecided, growth=math.inf)


def not_told(view: View, name: str, side: Side, what: str, *, declared: bool = True) -> Judged:
    """Return what becomes of a limit on what nobody told: a container has it, so that it was not looked at.

    Args:
        view: The samples.
        name: The finding's id within the check.
        side: Whose it is.
        what: That is not told.
        declared: Whether a suite has asked for it: evidence of before it was read then shows too little.
    """
    message = f"the {side}'s {what} is not told"
    container = view.usage.is_container(CANDIDATE if side == "candidate" else REFERENCE)
    if container or (container is None and declared):
        undecided = finding(name, Outcome.INCONCLUSIVE, message, samples=0)
        return Judged(finding=undecided, growth=math.inf)
    missing = Capability.CONTAINER if side == "candidate" else Capability.REFERENCE_CONTAINER
    return Judged(finding=_not_applicable(name, message, missing))


def _not_applicable(name: str, message: str, missing: Capability) -> Finding:
    return finding(name, Outcome.NOT_APPLICABLE, message, samples=0, missing=missing)
