"""Carries a plan out: starts targets, collects, stores, judges. It decides nothing and prints nothing."""

import hashlib
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from harness.checks.interface import CheckContext, Evidence, Stage, StartAnother
from harness.checks.lifecycle import target as lifecycle
from harness.config.section import FamilySettings
from harness.config.suite import Suite
from harness.credentials import Credentials
from harness.disk import disk_errors
from harness.environment import split_cores
from harness.errors import ConfigError, HarnessError, InfrastructureError, TargetError
from harness.events import CheckFinished, CheckProgress, CheckStarted, Emit, Note
from harness.evidence_files import digests
from harness.inputs import input_digests
from harness.judgement import conclude, errored, without_evidence
from harness.load import WebAddress
from harness.model import CheckResult, ErrorKind, Outcome, Scope, TargetDescription
from harness.plan import Plan, PlannedCheck
from harness.targets.identity import identified
from harness.targets.interface import Endpoint, RemovalError, Target, Unstarted
from harness.targets.launch import Launch
from harness.targets.scratch import ScratchFolder

WITH_REFERENCE = frozenset({Stage.COMPARED, Stage.PAIRED})
UNDER_LOAD = frozenset({Stage.PAIRED, Stage.ALONE})
NEVER_READY = "the candidate did not get ready"
SLOW_START_S = 2.0
"""After so long people are told what is waited for."""


@dataclass(frozen=True)
class RunResult:
    """What a run found, before anything is decided."""

    results: tuple[CheckResult, ...]
    candidate: TargetDescription
    reference: TargetDescription | None
    validity: dict[str, float | None]


@dataclass
class Runner:
    """One run.

    Args:
        suite: The suite.
        credentials: The secrets of this run.
        candidate: What is gated.
        reference: What it is compared with, None for a first release.
        seed: Seed of the run; each check gets its own from it.
        folder: Evidence goes into a folder per check here.
        reproduce: The command that runs one family again; called with its name.
        today: For waivers.
        emit: Gets the events.
        fail_fast: Stop after the first required check that failed.
        evidence_at: Where ``folder`` will be once the run is stored.
        dashboard: Where the load is shown live, None for nowhere.
    """

    suite: Suite
    credentials: Credentials
    candidate: Launch
    reference: Launch | None
    seed: int
    folder: Path
    reproduce: Callable[[str], str]
    today: date
    emit: Emit
    fail_fast: bool = False
    evidence_at: Path | None = None
    dashboard: WebAddress | None = None
    _starts: list[lifecycle.Start] = field(default_factory=list)
    _results: list[CheckResult] = field(default_factory=list)
    _validity: dict[str, float | None] = field(default_factory=dict)
    _described: dict[str, TargetDescription] = field(default_factory=dict)

    def run(self, plan: Plan) -> RunResult:
        """Make every check of the plan.

        Raises:
            Interrupted: after everything started was removed.
        """
        for planned in plan.not_applicable:
            reason = f"this run has no {(planned.missing or '').replace('_', ' ')}"
            self._leave_out(planned, Outcome.NOT_APPLICABLE, reason)
        for group in plan.groups:
            if reason := self._stop_reason():
                for planned in group:
                    self._leave_out(planned, Outcome.SKIP, reason)
                continue
            try:
                self._run_group(group)
            except RemovalError as error:
                self.emit(Note(f"left behind, the next run removes it: {error}"))
        if self._starts:
            self._finish(self._lifecycle())
        return RunResult(
            results=tuple(self._results),
            candidate=self._described.get("candidate", self.candidate.description),
            reference=self._described.get("reference", self.reference.description)
            if self.reference
            else None,
            validity=self._validity,
        )

    def _stop_reason(self) -> str:
        """Why no further check is made; empty while there is no reason."""
        if self._starts and self._starts[-1].startup_s is None and not self._starts[-1].unknown:
            return NEVER_READY  # it would only fail the same way again
        died = any(start.problem for start in self._starts)
        failed = any(result.outcome is Outcome.FAIL and result.required for result in self._results)
        return "left out after the first failure (--fail-fast)" if self.fail_fast and (died or failed) else ""

    def _run_group(self, group: tuple[PlannedCheck, ...]) -> None:
        stage = group[0].check.stage
        if stage is Stage.UNSTARTED:
            self._run_unstarted(group)
            return
        names = tuple(planned.check.id for planned in group)
        target_cpus, generator_cpus = split_cores() if stage in UNDER_LOAD else (None, None)
        with ExitStack() as stack:
            try:
                if stage in WITH_REFERENCE:
                    candidate, reference = self._start_both(stack, stage, names, target_cpus)
                else:
                    candidate, reference = self._start_candidate(stack, names, target_cpus), None
            except TargetError:
                for planned in group:
                    self._leave_out(planned, Outcome.SKIP, NEVER_READY)
                return
            except InfrastructureError as error:
                for planned in group:
                    self._finish(self._errored(planned, ErrorKind.INFRASTRUCTURE, str(error)))
                return
            for planned in group:
                reason = "the candidate had died" if self._starts[-1].problem else self._stop_reason()
                if reason:
                    self._leave_out(planned, Outcome.SKIP, reason)
                    continue
                self._run_check(planned, candidate, reference, generator_cpus)

    def _run_unstarted(self, group: tuple[PlannedCheck, ...]) -> None:
        candidate = Unstarted(self.candidate.description)
        with ScratchFolder() as scratch:
            for planned in group:
                if reason := self._stop_reason():
                    self._leave_out(planned, Outcome.SKIP, reason)
                    continue
                self._run_check(planned, candidate, scratch=scratch)

    def _start_both(
        self, stack: ExitStack, stage: Stage, used_by: tuple[str, ...], cpus: str | None
    ) -> tuple[Endpoint, Endpoint | None]:
        """Start both and return them.

        Of two equal services the one started first was seen to stay some 1 % slower, so a paired load
        draws by the seed which one it is. In either order a candidate that does not get ready is told
        before a reference that does not.
        """
        number = len(self._starts) + 1
        if stage is not Stage.PAIRED or derived_seed(self.seed, f"order/{used_by[0]}") % 2:
            candidate = self._start_candidate(stack, used_by, cpus)
            return candidate, self._start_reference(stack, number, cpus)
        try:
            reference = self._start_reference(stack, number, cpus)
        except InfrastructureError:
            self._start_candidate(stack, used_by, cpus)
            raise
        return self._start_candidate(stack, used_by, cpus), reference

    def _start_candidate(self, stack: ExitStack, used_by: tuple[str, ...], cpus: str | None) -> Endpoint:
        self.emit(Note(f"{_starting(self.candidate)} the candidate for {', '.join(used_by)}"))
        try:
            with self._told_if_slow(self.candidate, "candidate"):
                endpoint = stack.enter_context(self.candidate.start(cpus))
            stack.callback(self._keep_logs, "candidate", len(self._starts) + 1, endpoint)
            description = self._identified(endpoint)
        except TargetError as error:
            self._keep_log("candidate", len(self._starts) + 1, error.logs)
            self._starts.append(
                lifecycle.Start(
                    used_by=used_by,
                    startup_s=None,
                    problem=str(error),
                    logs=self.credentials.redact(error.logs),
                )
            )
            raise
        except InfrastructureError as error:
            unknown = self.credentials.redact(str(error))
            self._starts.append(lifecycle.Start(used_by=used_by, startup_s=None, unknown=unknown))
            raise
        self._described.setdefault("candidate", description)
        self._starts.append(lifecycle.Start(used_by=used_by, startup_s=description.startup_s or 0.0))
        return endpoint

    def _start_reference(self, stack: ExitStack, number: int, cpus: str | None) -> Endpoint | None:
        if self.reference is None:
            return None
        self.emit(Note(f"{_starting(self.reference)} the reference"))
        try:
            with self._told_if_slow(self.reference, "reference"):
                endpoint = stack.enter_context(self.reference.start(cpus))
            stack.callback(self._keep_logs, "reference", number, endpoint)
            description = self._identified(endpoint)
        except TargetError as error:
            self._keep_log("reference", number, error.logs)
            no_words = [] if self.reference.scope is Scope.URL else ["(no output)"]
            last = error.logs.strip().splitlines()[-1:] or no_words
            told = "; its last line: ".join([str(error), *(line[:300] for line in last)])
            message = f"the reference did not get ready: {told}"
            raise InfrastructureError(self.credentials.redact(message)) from error
        self._described.setdefault("reference", description)
        return endpoint

    def _identified(self, endpoint: Endpoint) -> TargetDescription:
        try:
            return identified(endpoint, self.suite.config.service, self.credentials)
        except TargetError:
            endpoint.alive()  # raises where it ended with its engine
            raise

    @contextmanager
    def _told_if_slow(self, launch: Launch, role: str) -> Iterator[None]:
        service = self.suite.config.service
        most_s = (service.on_gpu() if launch.description.device == "gpu" else service).ready_timeout_s
        what = launch.description.url or f"the {role}"
        note = Note(f"waiting for {what} to get ready, {most_s:g} s at most")
        timer = threading.Timer(SLOW_START_S, self.emit, (note,))
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _run_check(
        self,
        planned: PlannedCheck,
        candidate: Endpoint,
        reference: Endpoint | None = None,
        cpus: tuple[int, ...] | None = None,
        *,
        scratch: Path | None = None,
    ) -> None:
        check = planned.check
        self.emit(CheckStarted(check.id))
        folder = self.folder / check.id
        folder.mkdir()
        context = CheckContext(
            candidate=candidate,
            reference=reference,
            suite=self.suite,
            credentials=self.credentials,
            seed=derived_seed(self.seed, check.id),
            folder=folder,
            generator_cpus=cpus,
            progress=lambda done, total: self.emit(CheckProgress(check.id, done, total)),
            note=lambda text: self.emit(Note(text)),
            web=self.dashboard,
            start=None if self.candidate.scope is Scope.URL else self._another,
            start_reference=self._reference_again(),
            model=self._described.get("candidate", self.candidate.description).model,
            candidate_image=self.candidate.image,
            reference_image=None if self.reference is None else self.reference.image,
            scratch=scratch,
        )
        started, died = time.monotonic(), ""
        try:
            result = self._collect_and_judge(planned, context, started)
        except TargetError as error:
            died = str(error)
            result = self._errored(planned, ErrorKind.CANDIDATE, f"the candidate died: {error}", started)
        except ConfigError:
            raise
        except HarnessError as error:
            result = self._errored(planned, ErrorKind.INFRASTRUCTURE, str(error), started)
        except Exception as error:  # noqa: BLE001 - a fault of ours must end as a result, never as a promote
            text = self.credentials.redact(traceback.format_exc())
            (folder / "traceback.txt").write_text(text, encoding="utf-8", errors="backslashreplace")
            message = self.credentials.redact(f"{type(error).__name__}: {error}")
            result = self._errored(planned, ErrorKind.HARNESS, message, started)
        try:
            if (died or self._starts) and not candidate.alive() and not died:
                died = f"it no longer ran after {check.id}"
        except InfrastructureError as error:
            # Who ends with its engine is not to blame, and who may have ended is not known to be good.
            result = self._errored(planned, ErrorKind.INFRASTRUCTURE, str(error), started)
            died = ""
            unknown = self.credentials.redact(str(error))
            self._starts[-1] = self._starts[-1].model_copy(update={"unknown": unknown})
        if died:
            self._died(died, candidate)
        self._finish(result)

    def _another(self, variant: str | None, /, *, until_ready: bool = True) -> Target:
        return self.candidate.start(variant=variant, until_ready=until_ready)

    def _reference_again(self) -> StartAnother | None:
        launch = self.reference
        if launch is None or launch.scope is not Scope.CONTAINER:
            return None
        return lambda variant, *, until_ready=True: launch.start(variant=variant, until_ready=until_ready)

    def _collect_and_judge(self, planned: PlannedCheck, context: CheckContext, started: float) -> CheckResult:
        check = planned.check
        inputs = input_digests(check, self.suite, planned.settings)
        with disk_errors(context.folder):
            evidence = check.collect(context, planned.settings)
            evidence.save(context.folder, self.credentials.redact)
        # Judged as stored, so that a later `harness judge` sees the same.
        stored: Evidence = check.evidence.load(context.folder)
        self._validity |= stored.validity()
        return conclude(
            check,
            stored,
            planned.settings,
            self.suite.config.policy,
            required=planned.required,
            duration_s=time.monotonic() - started,
            today=self.today,
            reproduce=self.reproduce(check.family.value),
            evidence_files=digests(self.folder, check.id),
            inputs=inputs,
            evidence_at=self.evidence_at,
        )

    def _died(self, problem: str, candidate: Endpoint) -> None:
        logs = self.credentials.redact(candidate.logs())
        self._starts[-1] = self._starts[-1].model_copy(
            update={"problem": self.credentials.redact(problem), "logs": logs}
        )

    def _keep_log(self, role: str, start: int, text: str) -> None:
        """What a target wrote, which is gone with it; ``start`` counts the starts of the candidate."""
        path = lifecycle.log_file(self.folder, role, start)
        path.parent.mkdir(exist_ok=True)
        if text:
            path.write_text(self.credentials.redact(text), encoding="utf-8", errors="replace")

    def _keep_logs(self, role: str, start: int, endpoint: Endpoint) -> None:
        self._keep_log(role, start, endpoint.logs())

    def _lifecycle(self) -> CheckResult:
        judge = lifecycle.TargetJudge()
        folder = self.folder / judge.id
        folder.mkdir(exist_ok=True)
        evidence = lifecycle.TargetEvidence(
            expected=1,
            executed=len(self._starts),
            starts=tuple(self._starts),
            elsewhere=self.candidate.scope is Scope.URL,
        )
        evidence.save(folder, self.credentials.redact)
        return conclude(
            judge,
            lifecycle.TargetEvidence.load(folder),
            FamilySettings(),
            self.suite.config.policy,
            required=True,
            duration_s=sum(start.startup_s or 0.0 for start in self._starts),
            today=self.today,
            reproduce=self.reproduce(""),
            evidence_files=digests(self.folder, judge.id),
        )

    def _leave_out(self, planned: PlannedCheck, outcome: Outcome, reason: str) -> None:
        self._finish(
            without_evidence(
                planned.check, outcome, reason, required=planned.required, missing=planned.missing
            )
        )

    def _errored(
        self, planned: PlannedCheck, kind: ErrorKind, message: str, started: float | None = None
    ) -> CheckResult:
        return errored(
            planned.check,
            kind,
            self.credentials.redact(message),
            required=planned.required,
            duration_s=0.0 if started is None else time.monotonic() - started,
            evidence_files=digests(self.folder, planned.check.id),
        )

    def _finish(self, result: CheckResult) -> None:
        self._results.append(result)
        self.emit(CheckFinished(result))


def _starting(launch: Launch) -> str:
    """What is done to have it: a URL runs already."""
    return "using" if launch.scope is Scope.URL else "starting"


def derived_seed(seed: int, check_id: str) -> int:
    """A seed of its own for each check, so that leaving one out does not change another's requests."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{check_id}".encode()).digest()[:4], "big")
