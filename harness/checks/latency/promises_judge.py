"""Holds what the manifest promises against what was measured.

A promise is made for a machine of its own, and this one may be shared: so one that is not shown to be kept is
a warning, unless the suite says that it fails (``limits.promises``).
"""

from collections.abc import Iterator

from harness.checks.latency.decided import Judged, decided
from harness.checks.latency.findings import finding
from harness.checks.latency.promises import Promises
from harness.checks.latency.usage_judge import CANDIDATE, beside, not_told
from harness.checks.latency.view import View
from harness.model import Outcome
from harness.stats.absolute import judge_quantile
from harness.stats.quantiles import least_samples

P99 = 0.99


def judge_promises(view: View, promises: Promises | None) -> Iterator[Judged]:
    """Return a finding for each promise that the suite asks for."""
    promised = {} if promises is None else promises.promised
    problem = "" if promises is None else promises.problem
    if "p99_ms" in promised:
        p99_ms = promised["p99_ms"]
        yield beside(_missing(view, "p99", problem)) if p99_ms is None else _p99(view, p99_ms)
    if "memory_mib" in promised:
        mib = promised["memory_mib"]
        yield beside(_missing(view, "memory", problem) if mib is None else _memory(view, mib))


def _p99(view: View, promised_ms: float) -> Judged:
    judgement = judge_quantile(
        view.candidate.response_ms, view.groups, probability=P99, limit=promised_ms, spending=view.spending
    )
    decision = decided(view, judgement, promised_ms, least=least_samples(P99, view.limits.confidence))
    text = f"the manifest promises a p99 of {promised_ms:g} ms, measured are {judgement.observed:.2f} ms"
    judged = decision.judged(
        "manifest.p99", text, view=view, judgement=judgement, limit=promised_ms, unit="ms"
    )
    if view.limits.promises == "fail" or judged.finding.outcome is Outcome.PASS:
        return judged
    return Judged(finding=judged.finding.model_copy(update={"outcome": Outcome.WARN}))


def _memory(view: View, promised_mib: float) -> Judged:
    name, held_mib = "manifest.memory", view.usage.peak_mib(CANDIDATE)
    if held_mib is None:
        judged = not_told(view, name, "candidate", "memory")
        if view.limits.promises == "fail" or judged.finding.outcome is Outcome.NOT_APPLICABLE:
            return judged
        return Judged(finding=judged.finding.model_copy(update={"outcome": Outcome.WARN}))
    return Judged(
        finding=finding(
            name,
            Outcome.PASS if held_mib <= promised_mib else _broken(view),
            f"the manifest promises {promised_mib:g} MiB, it held at most {held_mib:.1f} MiB under load",
            samples=view.samples,
            observed=held_mib,
            limit=promised_mib,
            unit="MiB",
        )
    )


def _missing(view: View, name: str, problem: str) -> Judged:
    """Return that nothing is promised: leaving a promise out is no way around it."""
    message = problem or f"the manifest promises no {name} where the suite looks for it"
    return Judged(finding=finding(f"manifest.{name}", _broken(view), message, samples=view.samples))


def _broken(view: View) -> Outcome:
    return Outcome.FAIL if view.limits.promises == "fail" else Outcome.WARN
