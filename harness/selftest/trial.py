"""One trial: the image of an entry, the proof that it is what it says, and the gate on it."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from harness.config.suite import Suite, load_suite
from harness.errors import HarnessError, InfrastructureError
from harness.events import Emit
from harness.gate import GateRequest, gate
from harness.model import Family, Model, Report
from harness.reports.text import one_line
from harness.selftest import overlay
from harness.selftest.catalogue import Entry
from harness.selftest.machine import machine
from harness.selftest.model import AS_IT_SHOULD, Mode, Result, Trial
from harness.selftest.outcome import (
    Judged,
    expected_of,
    failed_findings,
    may_be_asked_again,
    of_entry,
    undecided_checks,
)
from harness.selftest.probing import Proof, proven
from harness.selftest.rounds import Round, rounds_of
from harness.selftest.suites import config_of, extended
from harness.targets.engine import INSTALL, Engine, find_engine

MOST_TRIES = 3


class Asked(Model):
    """What all trials of a selftest have in common.

    Attributes:
        config: gate.toml of the suite that is tested.
        folder: Where the selftest keeps what it finds.
    """

    config: Path
    folder: Path
    mode: Mode
    seed: int


@dataclass(frozen=True)
class _Gated:
    """A try of a gate, and how many there were by then."""

    report: Report
    path: Path
    judged: Judged
    tries: int


def tried(entry: Entry, asked: Asked, healthy: str, environ: Mapping[str, str], emit: Emit) -> Trial:
    """Build, prove and gate an entry; whatever goes wrong is its result.

    Args:
        entry: The fault or the change.
        asked: Of this selftest.
        healthy: Id of the image that it changes, which is also what it is compared with.
        environ: Where an engine is named.
        emit: Gets the events.
    """
    begun = time.monotonic()
    trial = Trial(
        name=entry.name,
        kind=entry.kind,
        family=entry.declared.family,
        mode=asked.mode,
        seed=asked.seed,
        healthy=healthy,
        result=Result.ERROR,
    )
    try:
        trial = _made(trial, entry, asked, environ, emit)
    except HarnessError as error:
        trial = trial.model_copy(update={"why": one_line(str(error))})
    return ended(trial, begun)


def ended(trial: Trial, begun: float) -> Trial:
    """With when it ended, and how long it took since ``begun`` on the monotonic clock."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return trial.model_copy(update={"took_s": round(time.monotonic() - begun, 2), "finished_at": now})


def of_report(
    trial: Trial,
    report: Report,
    path: Path,
    asked: Asked,
    *,
    judged: Judged,
    expected: Iterable[str],
    tries: int,
) -> Trial:
    """With what a gate's report says, ``expected`` being the checks that had to fail; its time is added."""
    return trial.model_copy(
        update={
            "result": judged.result,
            "why": one_line(judged.why),
            "expected": tuple(expected),
            "failed": failed_findings(report),
            "undecided": tuple(sorted(undecided_checks(report))),
            "tries": tries,
            "verdict_s": round((trial.verdict_s or 0.0) + report.duration_s, 3),
            "report": os.path.relpath(path, asked.folder),
        }
    )


def of_round(request: GateRequest, part: Round) -> GateRequest:
    """What to ask in a round."""
    return replace(request, only=part.only, checks=part.checks, skip=part.skip)


def reports_of(name: str, asked: Asked) -> Path:
    """Where the reports of an entry go: apart from others, and from the runs that promote releases."""
    return asked.folder / "runs" / asked.mode.value / name


def _made(trial: Trial, entry: Entry, asked: Asked, environ: Mapping[str, str], emit: Emit) -> Trial:
    config = config_of(entry, load_suite(asked.config))
    config = extended(entry, config, asked.folder / "suites" / entry.name)
    suite = load_suite(config)
    engine = _engine(suite.folder, environ)
    image = overlay.tag_of(entry, trial.healthy)
    kept = False
    try:
        trial = _shown(trial, entry, asked, suite, image, engine=engine, environ=environ, emit=emit)
        # What came out otherwise than it should is kept, for whoever looks into it.
        kept = trial.result not in AS_IT_SHOULD
    finally:
        if not kept:
            overlay.remove(engine, image)
    return trial


def _shown(
    trial: Trial,
    entry: Entry,
    asked: Asked,
    suite: Suite,
    image: str,
    *,
    engine: Engine,
    environ: Mapping[str, str],
    emit: Emit,
) -> Trial:
    """Build its image, prove that it is what it says, and gate it."""
    with machine(asked.folder, alone=False):
        overlay.build(engine, entry, trial.healthy, image)
    # Its probe measures a latency as well.
    with machine(asked.folder, alone=entry.declared.family is Family.LATENCY):
        proof = proven(entry, suite, image, trial.healthy, environ=environ, emit=emit)
    trial = trial.model_copy(update={"proof": proof.said})
    if not proof.active:
        return trial.model_copy(update=_unproven(proof))
    request = GateRequest(
        candidate=image,
        reference=trial.healthy,
        config=suite.path,
        out=reports_of(entry.name, asked),
        seed=asked.seed,
    )
    for part in rounds_of(entry, asked.mode, suite.config.families):
        with machine(asked.folder, alone=part.alone):
            for gated in _gated(entry, of_round(request, part), environ=environ, emit=emit):
                trial = of_report(
                    trial,
                    gated.report,
                    gated.path,
                    asked,
                    judged=gated.judged,
                    expected=expected_of(entry.declared, gated.report),
                    tries=gated.tries,
                )
        if trial.result not in AS_IT_SHOULD:
            break
    return trial


def _unproven(proof: Proof) -> dict[str, object]:
    result = Result.ERROR if proof.active is None else Result.INACTIVE
    return {"result": result, "why": proof.said}


def _gated(entry: Entry, request: GateRequest, *, environ: Mapping[str, str], emit: Emit) -> Iterator[_Gated]:
    """Gate it; a latency that this machine was too busy to measure is asked again, with another seed."""
    for tries in range(1, MOST_TRIES + 1):
        report, path = gate(replace(request, seed=request.seed + tries - 1), environ, emit)
        judged = of_entry(entry.declared, report)
        yield _Gated(report, path, judged, tries)
        if not may_be_asked_again(entry.declared, judged, report):
            return


def _engine(folder: Path, environ: Mapping[str, str]) -> Engine:
    engine = find_engine(folder, environ)
    if engine is None:
        raise InfrastructureError("no container engine answers, and images have to be built", fix=INSTALL)
    return engine
