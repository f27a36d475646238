"""One gate from what the user asked for to the stored report."""

import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness import __version__
from harness.checks.fuzz.replay import ReplayFuzz
from harness.checks.fuzz.reproducer import ReproducerFile, read_all
from harness.checks.interface import AnyCheck
from harness.checks.table import CHECKS
from harness.config.suite import Suite, load_suite
from harness.disk import disk_errors
from harness.environment import capture
from harness.errors import ConfigError, UsageError
from harness.events import Emit, Note
from harness.history.promoted import with_last_promote
from harness.load import WebAddress
from harness.model import Family, PolicyRecord, Report, Scope, as_utf8
from harness.plan import Plan, asked_for, capabilities_of, make_plan, verified_plan
from harness.policy import Expected, decide, unused_waivers
from harness.preparation import prepare, reference_launch, require_reference, sides
from harness.reports.figures.drawing import MOST_BYTES_IN_A_RUN, draw
from harness.reports.store import RunFolder, new_run_id
from harness.runner import Runner, RunResult
from harness.selftest.standing import with_selftest
from harness.targets.engine import Engine
from harness.targets.launch import URL, Launch
from harness.targets.uninterrupted import uninterrupted
from harness.targets.url import require_plain

Through = Callable[[Launch], Launch]
PROCESS_NOTE = (
    "no container engine answers: the service of this checkout runs as a local process, "
    "and nothing is checked of its image"
)


@dataclass(frozen=True)
class GateRequest:
    """What the user asked for; None stands for the suite's own service.

    Attributes:
        candidate: Image, URL or folder.
        reference: Image, URL, folder or ``none``.
        config: gate.toml.
        gpu: Whether targets get the machine's GPUs.
        only: Families to keep; empty keeps all.
        checks: Of a family that one of these is of, only these are kept.
        skip: Families to leave out.
        out: Folder for reports.
        replay: Stored requests, or folders of them, that are sent instead of what the fuzz family asks.
        seed: Seed of everything random but the secrets.
        fail_fast: Stop after the first required check that failed.
        dashboard: Where the load of the latency family is shown live, None for nowhere.
    """

    candidate: str | None = None
    reference: str | None = None
    config: Path = Path("gate.toml")
    gpu: bool = False
    only: frozenset[Family] = frozenset()
    checks: frozenset[str] = frozenset()
    skip: frozenset[Family] = frozenset()
    replay: tuple[Path, ...] = ()
    out: Path = Path("reports")
    seed: int = 0
    fail_fast: bool = False
    dashboard: WebAddress | None = None

    def command(self, family: str) -> str:
        """The command line that asks for this again, for one family or (empty) for all."""
        parts = ["harness", "run", "--config", str(self.config), "--seed", str(self.seed)]
        if self.candidate is not None:
            parts += ["--candidate", self.candidate]
        if self.reference is not None:
            parts += ["--reference", self.reference]
        if self.gpu:
            parts += ["--device", "gpu"]
        if family:
            parts += ["--only", family]
        for path in self.replay:
            parts += ["--replay", str(path)]
        return shlex.join(parts)


def gate(
    request: GateRequest,
    environ: Mapping[str, str],
    emit: Emit,
    *,
    through: Through = lambda launch: launch,
    reference_through: Through = lambda launch: launch,
) -> tuple[Report, Path]:
    """Run a gate and store its report.

    Args:
        request: What the user asked for.
        environ: Where secrets may be given, and an engine named.
        emit: Gets the events.
        through: What the candidate is started by, from how it would be started: it may stand before it.
        reference_through: Likewise of the reference, if there is one.

    Returns:
        The report and the path of its JSON.

    Raises:
        HarnessError: when there is no verdict to be had; nothing is stored and nothing is left running.
    """
    suite = load_suite(request.config).on("gpu" if request.gpu else "cpu")
    replayed = _replayed(request)
    checks: tuple[AnyCheck, ...] = (ReplayFuzz(replayed),) if replayed else asked_for(CHECKS, request.checks)
    _verify(request, suite, checks)
    require_reference(request.candidate, request.reference)
    prepared = prepare(
        suite,
        *sides(request.candidate, request.reference),
        gpu=request.gpu,
        environ=environ,
        emit=emit,
    )
    if request.gpu:
        prepared.require_gpus()
    launcher = prepared.launcher
    candidate = launcher.resolve(request.candidate)
    of_checkout = request.candidate is None and request.reference is None
    reference = candidate if of_checkout else reference_launch(launcher, request.reference)
    candidate = through(candidate)
    reference = None if reference is None else reference_through(reference)
    plan = make_plan(
        suite,
        checks,
        only=request.only,
        skip=request.skip,
        capabilities=capabilities_of(candidate.scope, reference.scope if reference else None),
    )
    if candidate.scope is Scope.PROCESS:
        emit(Note(PROCESS_NOTE))

    started, started_s = datetime.now(UTC), time.monotonic()
    run_id = new_run_id(started, candidate.description, launcher.run_token)
    with ExitStack() as stack:
        with uninterrupted():
            folder = RunFolder.create(request.out, run_id)
            stack.callback(folder.abandon)
        stack.enter_context(disk_errors(request.out))
        runner = Runner(
            suite=suite,
            credentials=prepared.credentials,
            candidate=candidate,
            reference=reference,
            seed=request.seed,
            folder=folder.evidence,
            reproduce=request.command,
            today=started.date(),
            emit=emit,
            fail_fast=request.fail_fast,
            evidence_at=folder.evidence_at,
            dashboard=request.dashboard,
        )
        result = runner.run(plan)
        report = _report(
            request,
            suite,
            plan,
            result,
            run_id=run_id,
            started=started,
            took=timedelta(seconds=time.monotonic() - started_s),
            engine=prepared.engine,
        )
        report = report.model_copy(
            update={
                "partial": report.partial or bool(replayed),
                "replay": {as_utf8(str(file.path)): file.sha256 for file in replayed},
            }
        )
        report = with_selftest(with_last_promote(report, request.out), request.out)
        path = folder.commit(report, draw(report, folder.evidence, MOST_BYTES_IN_A_RUN))
    return report, path


def _replayed(request: GateRequest) -> tuple[ReproducerFile, ...]:
    """The stored requests to send.

    Raises:
        UsageError: other families are asked for too.
        ConfigError: one is not readable.
    """
    if request.replay and (request.only != {Family.FUZZ} or request.skip):
        raise UsageError(
            "--replay sends stored requests instead of the fuzz family's own",
            fix="add --only fuzz, and no other --only or --skip",
        )
    return read_all(request.replay)


def _verify(request: GateRequest, suite: Suite, checks: Sequence[AnyCheck]) -> None:
    """Find the user's mistakes before anything is built or started."""
    for option, named in (("--candidate", request.candidate), ("--reference", request.reference)):
        if named is not None and not named.strip():
            # As a path it would be the folder that one happens to be in.
            raise UsageError(f"{option} is empty", fix="name an image, a URL or a folder, or leave it out")
        if named is not None and URL.match(named):
            require_plain(named)
    verified_plan(suite, checks, only=request.only, skip=request.skip)
    if request.gpu and suite.config.service.gpu is None:
        raise ConfigError(
            file=suite.path,
            key="service.gpu",
            problem="required with --device gpu: without it the suite is for CPUs alone",
            allowed="a table with environment and build_args, an empty one if the service finds a GPU itself",
        )
    metadata = suite.config.service.metadata
    if request.gpu and (metadata is None or metadata.execution_provider is None):
        raise ConfigError(
            file=suite.path,
            key="service.metadata.execution_provider",
            problem="required with --device gpu: nothing else shows that the model runs on one",
            allowed="a JSON pointer into the service's metadata",
        )


def _undeclared_of_gpu(request: GateRequest, suite: Suite) -> tuple[str, ...]:
    """What a run on a GPU could look at besides, and the suite does not say where it is told."""
    metadata = suite.config.service.metadata
    silent = request.gpu and (metadata is None or metadata.nodes_by_provider is None)
    return ("lifecycle.target: the nodes of the model that run on the CPU",) if silent else ()


def _report(
    request: GateRequest,
    suite: Suite,
    plan: Plan,
    result: RunResult,
    *,
    run_id: str,
    started: datetime,
    took: timedelta,
    engine: Engine | None,
) -> Report:
    expected = [Expected(planned.check.id, planned.required) for planned in plan.checks]
    verdict = decide(result.results, expected, suite.config.policy, undeclared=plan.not_declared)
    finished = started + took  # by a clock that nobody sets, so that no run ends before it began
    return Report(
        run_id=run_id,
        started_at=started.isoformat(timespec="milliseconds"),
        finished_at=finished.isoformat(timespec="milliseconds"),
        duration_s=round(took.total_seconds(), 3),
        decision=verdict.decision,
        reasons=verdict.reasons,
        scope=result.candidate.kind,
        partial=plan.partial or bool(request.checks),
        only=tuple(sorted(request.only)),
        only_checks=tuple(sorted(request.checks)),
        skip=tuple(sorted(request.skip)),
        suite=suite.config.name,
        not_declared=(*plan.undeclared, *_undeclared_of_gpu(request, suite)),
        unused_waivers=unused_waivers(
            result.results, suite.config.policy, only=request.only, skip=request.skip
        ),
        candidate=result.candidate,
        reference=result.reference,
        policy=PolicyRecord(path=str(suite.path), sha256=suite.sha256, content=suite.text),
        seed=request.seed,
        harness_version=__version__,
        environment=capture(engine, gpu=request.gpu),
        validity=result.validity,
        order=tuple(planned.check.id for group in plan.groups for planned in group),
        checks=result.results,
    )
