"""One trial of a suite's own image: a proxy before it does something wrong, and the gate has to notice."""

import time
from collections.abc import Callable, Mapping

from harness.config.suite import load_suite
from harness.errors import HarnessError
from harness.events import Emit
from harness.gate import GateRequest, Through, gate
from harness.reports.text import one_line
from harness.selftest.machine import machine
from harness.selftest.model import Kind, Listed, Result, Trial
from harness.selftest.outcome import Judged, noticed_by, of_benign, of_injected, unexplained
from harness.selftest.proxy import ProxyFault, built_in_faults, injected
from harness.selftest.rounds import noticing, rounds_of_injected
from harness.selftest.trial import Asked, ended, of_report, of_round, reports_of

_OPEN = frozenset({Result.UNDECIDED, Result.ERROR, Result.WRONG_REASON})


def listed(fault: ProxyFault) -> Listed:
    """As a report names it; one that no family could notice is a change that has to be promoted."""
    return Listed(
        name=fault.name,
        kind=Kind.FAULT if fault.families else Kind.BENIGN,
        family=fault.families[0] if fault.families else None,
        does=fault.does,
        checks=tuple(family.value for family in fault.families),
        mechanism=fault.mechanism,
    )


def drawn(name: str, seed: int) -> ProxyFault:
    """The fault of that name, hitting those that the selftest's seed draws."""
    fault = next(each for each in built_in_faults() if each.name == name)
    return fault.model_copy(update={"seed": seed})


def failing(control: Trial) -> frozenset[str]:
    """What fails behind the proxy that does nothing: findings, and checks that failed as a whole."""
    return frozenset(each for check, ids in control.failed.items() for each in ids or (check,))


def injected_trial(
    name: str,
    asked: Asked,
    candidate: str,
    *,
    without_fault: frozenset[str],
    environ: Mapping[str, str],
    emit: Emit,
) -> Trial:
    """Gate an image behind the proxy; whatever goes wrong is the result.

    Args:
        name: Of the fault.
        asked: Of this selftest.
        candidate: Id of the image; empty for the suite's own service as a process.
        without_fault: What fails behind the proxy that does nothing.
        environ: Where an engine is named.
        emit: Gets the events.
    """
    begun = time.monotonic()
    fault = drawn(name, asked.seed)
    told = listed(fault)
    trial = Trial(
        name=name,
        kind=told.kind,
        family=told.family,
        mode=asked.mode,
        seed=asked.seed,
        healthy=candidate,
        result=Result.SURVIVED,
        why=f"the suite declares none of the families that could notice it: {', '.join(told.checks)}",
    )
    try:
        trial = _made(trial, fault, asked, without_fault, environ=environ, emit=emit)
    except HarnessError as error:
        trial = trial.model_copy(update={"result": Result.ERROR, "why": one_line(str(error))})
    return ended(trial, begun)


def _made(
    trial: Trial,
    fault: ProxyFault,
    asked: Asked,
    without_fault: frozenset[str],
    *,
    environ: Mapping[str, str],
    emit: Emit,
) -> Trial:
    """Ask the likeliest family first, and the others only of what that did not notice."""
    suite = load_suite(asked.config)
    presented = suite.config.auth.credentials.values()
    headers = frozenset(header for credential in presented for header in credential.headers)
    request = GateRequest(
        candidate=trial.healthy or None,
        reference=trial.healthy or None,
        config=asked.config,
        out=reports_of(fault.name, asked),
        seed=asked.seed,
    )
    families = noticing(fault, suite.config.families)
    applied: list[int] = []
    for part in rounds_of_injected(fault, asked.mode, suite.config.families):
        with machine(asked.folder, alone=part.alone):
            report, path = gate(
                of_round(request, part),
                environ,
                emit,
                through=_before(fault, headers, applied.append),
                # Both have it before them, so that what it takes itself makes no difference between them.
                reference_through=_before(fault, headers, idle=True),
            )
        judged = of_injected(families, report, without_fault) if fault.families else of_benign(report)
        if fault.families and not any(applied):
            judged = Judged(Result.INACTIVE, "nothing that was asked is what it changes")
        if trial.result in _OPEN and judged.result is Result.SURVIVED:
            judged = Judged(trial.result, trial.why)  # what one gate left open another does not settle
        failed = unexplained(report, without_fault)
        expected = noticed_by(families, failed)
        trial = of_report(trial, report, path, asked, judged=judged, expected=expected, tries=1)
        trial = trial.model_copy(update={"failed": failed})
        if judged.result is Result.KILLED:
            break
    return trial


def _before(
    fault: ProxyFault,
    headers: frozenset[str],
    on_end: Callable[[int], None] = lambda _applied: None,
    *,
    idle: bool = False,
) -> Through:
    """What places the proxy before a launch, ``on_end`` being told how often the fault was applied."""
    return lambda launch: injected(launch, fault, idle=idle, credential_headers=headers, on_end=on_end)
