"""The runner: who gets which target, and what becomes of a target, a reference or a check that fails."""

import threading
from datetime import date
from pathlib import Path

import pytest

from harness import runner as runner_module
from harness.checks.interface import Evidence, Stage
from harness.credentials import Credentials
from harness.errors import ConfigError, ExitCode, InfrastructureError, Interrupted, TargetError
from harness.events import CheckFinished, CheckStarted, Note
from harness.model import (
    Capability,
    Decision,
    ErrorKind,
    Family,
    Finding,
    ModelIdentity,
    Outcome,
    Scope,
    TargetDescription,
)
from harness.plan import make_plan
from harness.policy import Expected, decide, exit_code
from harness.runner import Runner, derived_seed
from harness.testing import FakeEndpoint, FakeTarget, never_ready


class Stub:
    """A check that does what its function does."""

    evidence = Evidence

    def __init__(self, name="golden.a", stage=Stage.SHARED, needs=(), do=None, outcome=Outcome.PASS):
        self.id, self.family = name, Family(name.partition(".")[0])
        self.stage, self.needs = stage, frozenset(needs)
        self.do, self.outcome, self.contexts = do, outcome, []

    def applies(self, _settings):
        return True

    def verify_inputs(self, _suite, _settings):
        pass

    def collect(self, context, _settings):
        self.contexts.append(context)
        if self.do:
            self.do(context)
        return Evidence(expected=1, executed=1)

    def judge(self, _evidence, _limits):
        return [Finding(id=f"{self.id}.x", outcome=self.outcome, message="m", samples=1)]


def raising(error):
    def do(_context):
        raise error

    return do


class Run:
    """A run of some checks, and what came of it."""

    def __init__(
        self, suite, folder, *checks, candidate=None, reference=None, fail_fast=False, seed=7, events=None
    ):
        self.candidate, self.reference, self.events = (
            candidate or FakeTarget(),
            reference,
            [] if events is None else events,
        )
        capabilities = {Capability.REFERENCE} if reference else set()
        plan = make_plan(suite, checks, only=(), skip=(), capabilities=capabilities)
        folder.mkdir(exist_ok=True)
        runner = Runner(
            suite=suite,
            credentials=Credentials(suite.config.auth, {}),
            candidate=self.candidate.launch(),
            reference=reference.launch() if reference else None,
            seed=seed,
            folder=folder,
            reproduce=lambda family: f"harness run --only {family}",
            today=date(2026, 1, 1),
            emit=self.events.append,
            fail_fast=fail_fast,
        )
        self.outcome = runner.run(plan)
        self.by_id = {result.id: result for result in self.outcome.results}
        expected = [Expected(planned.check.id, planned.required) for planned in plan.checks]
        self.verdict = decide(self.outcome.results, expected, suite.config.policy)


@pytest.fixture
def run(suite, tmp_path):
    def run(*checks, **options):
        return Run(suite, tmp_path / "evidence", *checks, **options)

    return run


def test_a_healthy_candidate_promotes_and_is_removed(run):
    done = run(Stub())
    assert done.verdict.decision is Decision.PROMOTE
    assert (done.candidate.entered, done.candidate.left) == (1, 1)
    assert done.by_id["lifecycle.target"].outcome is Outcome.PASS


def test_shared_checks_share_a_target_and_the_others_do_not(run):
    done = run(
        Stub("golden.a"), Stub("golden.b"), Stub("scenarios.a", Stage.FRESH), Stub("scenarios.b", Stage.FRESH)
    )
    assert done.candidate.entered == 3


def test_what_needs_no_start_is_checked_before_and_without_one(run):
    looked, asked = Stub("golden.unstarted", Stage.UNSTARTED), Stub("golden.a")
    done = run(asked, looked, candidate=never_ready())
    assert done.by_id["golden.unstarted"].outcome is Outcome.PASS
    assert done.by_id["golden.a"].outcome is Outcome.SKIP
    assert looked.contexts[0].scratch is not None
    assert not looked.contexts[0].scratch.exists()


def test_nothing_is_started_for_what_needs_no_start(run):
    done = run(Stub("golden.unstarted", Stage.UNSTARTED), Stub("golden.another", Stage.UNSTARTED))
    assert done.candidate.entered == 0
    assert done.by_id.keys() == {"golden.unstarted", "golden.another"}
    assert done.verdict.decision is Decision.PROMOTE


def test_a_check_is_told_what_the_candidate_serves(run):
    identity = ModelIdentity(name="m", version="1.0.0")
    endpoint = FakeEndpoint(description=TargetDescription(kind=Scope.CONTAINER, model=identity))
    check = Stub()
    run(check, candidate=FakeTarget(endpoint))
    assert check.contexts[0].model == identity


def test_only_the_paired_stage_has_a_reference(run):
    shared, paired = Stub("golden.a"), Stub("latency.a", Stage.PAIRED)
    done = run(shared, paired, reference=FakeTarget())
    assert shared.contexts[0].reference is None
    assert paired.contexts[0].reference is not None
    assert (done.reference.entered, done.reference.left) == (1, 1)


def test_what_is_compared_shares_both_targets(run):
    first, second = Stub("golden.a", Stage.COMPARED), Stub("golden.b", Stage.COMPARED)
    done = run(first, second, reference=FakeTarget())
    assert (done.candidate.entered, done.reference.entered) == (1, 1)
    assert all(check.contexts[0].reference is not None for check in (first, second))


def test_a_check_may_start_another_candidate_as_a_variant(run):
    def start_another(context):
        with context.start("broken"):
            pass

    process = FakeEndpoint(description=TargetDescription(kind=Scope.PROCESS))
    done = run(Stub(do=start_another), candidate=FakeTarget(process))
    assert done.candidate.variants == [None, "broken"]
    assert (done.candidate.entered, done.candidate.left) == (2, 2)


def test_a_check_that_needs_a_reference_does_not_apply_without(run):
    done = run(Stub(), Stub("latency.a", Stage.PAIRED, needs={Capability.REFERENCE}))
    assert done.by_id["latency.a"].outcome is Outcome.NOT_APPLICABLE
    assert done.by_id["latency.a"].missing is Capability.REFERENCE


def test_a_candidate_that_never_gets_ready_is_rejected_with_its_last_words(run):
    done = run(Stub(), Stub("scenarios.a", Stage.FRESH), candidate=never_ready("first\nno model file\n"))
    assert done.verdict.decision is Decision.REJECT
    assert done.verdict.reasons[0].finding_id == "lifecycle.target.ready"
    assert "no model file" in done.verdict.reasons[0].message
    assert done.candidate.entered == 1, "it is not waited for again"
    assert done.by_id["golden.a"].outcome is Outcome.SKIP
    assert {done.by_id[name].reason for name in ("golden.a", "scenarios.a")} == {
        "the candidate did not get ready"
    }


def test_a_candidate_that_dies_during_a_check_is_rejected(run):
    done = run(Stub(do=raising(TargetError("exit code 137"))), Stub("golden.b"))
    assert done.verdict.decision is Decision.REJECT
    assert done.verdict.reasons[0].finding_id == "lifecycle.target.alive"
    assert done.by_id["golden.a"].error.kind is ErrorKind.CANDIDATE
    assert done.by_id["golden.b"].outcome is Outcome.SKIP


def test_a_candidate_that_dies_unnoticed_by_the_check_is_rejected(run):
    target = FakeTarget()

    def die(_context):
        target.endpoint.is_alive = False

    done = run(Stub(do=die), candidate=target)
    assert done.verdict.decision is Decision.REJECT
    assert "golden.a" in done.verdict.reasons[0].message


class EndsWithItsEngine(FakeEndpoint):
    """Of whom nobody can tell, once it is gone, why."""

    def alive(self):
        if not self.is_alive:
            raise InfrastructureError("the container engine was restarted")
        return True


@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.PASS])
@pytest.mark.parametrize("error", [None, TargetError("exit code 143")], ids=["unnoticed", "noticed"])
def test_a_candidate_that_ended_with_its_engine_is_neither_rejected_nor_promoted(run, outcome, error):
    endpoint = EndsWithItsEngine()

    def go(_context):
        endpoint.is_alive = False
        if error is not None:
            raise error

    done = run(Stub(do=go, outcome=outcome), candidate=FakeTarget(endpoint))
    assert done.by_id["lifecycle.target"].outcome is Outcome.INCONCLUSIVE
    assert done.verdict.decision is Decision.INCONCLUSIVE
    assert done.by_id["golden.a"].error.kind is ErrorKind.INFRASTRUCTURE
    assert exit_code(done.verdict.decision, done.outcome.results) is ExitCode.INFRASTRUCTURE


def test_one_that_ended_with_its_engine_during_a_check_that_nobody_requires_is_not_promoted(run):
    endpoint = EndsWithItsEngine()

    def go(_context):
        endpoint.is_alive = False
        raise TargetError("exit code 137")

    optional = Stub("scenarios.a", Stage.FRESH, do=go)
    done = run(Stub(), optional, candidate=FakeTarget(endpoint))
    assert done.by_id["golden.a"].outcome is Outcome.PASS
    assert done.verdict.decision is Decision.INCONCLUSIVE
    (reason,) = done.verdict.reasons
    assert reason.finding_id == "lifecycle.target.alive"
    assert "nobody can tell: the container engine was restarted" in reason.message


def test_one_that_no_engine_starts_is_not_promoted_by_what_is_looked_at_unstarted(run):
    unstarted = Stub("golden.unstarted", Stage.UNSTARTED)
    optional = Stub("scenarios.a", Stage.FRESH)
    target = FakeTarget(failure=InfrastructureError("no engine answers"))
    done = run(unstarted, optional, candidate=target)
    assert done.by_id["golden.unstarted"].outcome is Outcome.PASS
    assert done.verdict.decision is Decision.INCONCLUSIVE
    assert done.verdict.reasons[0].finding_id == "lifecycle.target.ready"


def test_a_candidate_that_ended_with_its_engine_before_it_told_its_model_is_not_rejected(run, monkeypatch):
    def untold(*_):
        raise TargetError("GET /model: connection refused")

    monkeypatch.setattr(runner_module, "identified", untold)
    done = run(Stub(), candidate=FakeTarget(EndsWithItsEngine(is_alive=False)))
    assert done.verdict.decision is Decision.INCONCLUSIVE
    assert done.by_id["golden.a"].error.kind is ErrorKind.INFRASTRUCTURE


def test_a_reference_that_does_not_start_blames_nobody_else(run):
    done = run(Stub(), Stub("latency.a", Stage.PAIRED), reference=never_ready())
    assert done.by_id["latency.a"].error.kind is ErrorKind.INFRASTRUCTURE
    assert done.by_id["lifecycle.target"].outcome is Outcome.PASS
    assert done.candidate.entered == done.candidate.left


CANDIDATE_FIRST, REFERENCE_FIRST = "the candidate", "the reference"


def first_started(done):
    """Which of the two the run says it starts first."""
    notes = [event.text for event in done.events if isinstance(event, Note)]
    return CANDIDATE_FIRST if "candidate" in notes[0] else REFERENCE_FIRST


@pytest.fixture(params=[CANDIDATE_FIRST, REFERENCE_FIRST])
def seed(request, suite, tmp_path):
    """A seed by which this one is started first."""
    for number in range(50):
        folder = tmp_path / f"seed-{number}"
        done = Run(suite, folder, Stub("latency.a", Stage.PAIRED), reference=FakeTarget(), seed=number)
        if first_started(done) == request.param:
            return number
    pytest.fail(f"no seed starts {request.param} first")


def test_who_is_started_first_is_drawn_and_only_for_a_paired_load(run, seed, tmp_path):
    first = first_started(run(Stub("latency.a", Stage.PAIRED), reference=FakeTarget(), seed=seed))
    (tmp_path / "evidence").rename(tmp_path / "before")
    again = run(Stub("latency.a", Stage.PAIRED), reference=FakeTarget(), seed=seed)
    assert first_started(again) == first
    (tmp_path / "evidence").rename(tmp_path / "again")
    compared = run(Stub("golden.a", Stage.COMPARED), reference=FakeTarget(), seed=seed)
    assert first_started(compared) == CANDIDATE_FIRST


def test_in_either_order_a_paired_check_has_both(run, seed):
    done = run(check := Stub("latency.a", Stage.PAIRED), reference=FakeTarget(), seed=seed)
    assert check.contexts[0].candidate is done.candidate.endpoint
    assert check.contexts[0].reference is done.reference.endpoint
    assert (done.candidate.left, done.reference.left) == (1, 1)
    assert done.by_id["latency.a"].outcome is Outcome.PASS


@pytest.mark.parametrize("reference", [FakeTarget, never_ready])
def test_in_either_order_a_candidate_that_never_gets_ready_is_rejected(run, seed, reference):
    done = run(
        check := Stub("latency.a", Stage.PAIRED),
        candidate=never_ready("no model file"),
        reference=reference(),
        seed=seed,
    )
    assert done.verdict.decision is Decision.REJECT
    assert done.verdict.reasons[0].finding_id == "lifecycle.target.ready"
    assert done.by_id["latency.a"].outcome is Outcome.SKIP
    assert check.contexts == []


def test_in_either_order_a_reference_that_does_not_start_is_no_verdict_on_the_candidate(run, seed):
    done = run(check := Stub("latency.a", Stage.PAIRED), reference=never_ready(), seed=seed)
    assert done.verdict.decision is Decision.INCONCLUSIVE
    assert done.by_id["latency.a"].error.kind is ErrorKind.INFRASTRUCTURE
    assert done.by_id["lifecycle.target"].outcome is Outcome.PASS
    assert check.contexts == []
    assert done.candidate.left == 1


def on_the_cpu(endpoint, *_):
    if endpoint.description.device == "gpu":
        raise TargetError("asked for a GPU, and 2 nodes of its model ran on the CPU, allowed are 0")
    return endpoint.description


def asked_for_a_gpu():
    return FakeTarget(FakeEndpoint(description=TargetDescription(kind=Scope.CONTAINER, device="gpu")))


def test_a_candidate_that_runs_silently_on_the_cpu_is_rejected_before_anything_is_compared(run, monkeypatch):
    monkeypatch.setattr(runner_module, "identified", on_the_cpu)
    done = run(check := Stub(), candidate=asked_for_a_gpu())
    assert done.verdict.decision is Decision.REJECT
    assert done.verdict.reasons[0].finding_id == "lifecycle.target.ready"
    assert "2 nodes of its model ran on the CPU" in done.verdict.reasons[0].message
    assert check.contexts == []
    assert done.candidate.left == 1


def test_a_reference_that_runs_silently_on_the_cpu_is_no_verdict_on_the_candidate(run, monkeypatch):
    monkeypatch.setattr(runner_module, "identified", on_the_cpu)
    done = run(check := Stub("latency.a", Stage.PAIRED), reference=asked_for_a_gpu())
    assert done.verdict.decision is Decision.INCONCLUSIVE
    assert done.by_id["latency.a"].error.kind is ErrorKind.INFRASTRUCTURE
    assert "ran on the CPU" in done.by_id["latency.a"].error.message
    assert check.contexts == []


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InfrastructureError("engine gone"), ErrorKind.INFRASTRUCTURE),
        (ZeroDivisionError("ours"), ErrorKind.HARNESS),
    ],
)
def test_an_error_in_a_check_is_inconclusive_and_never_a_promote(run, error, kind):
    done = run(Stub(do=raising(error)), Stub("golden.b"))
    assert done.verdict.decision is Decision.INCONCLUSIVE
    assert done.by_id["golden.a"].error.kind is kind
    assert done.by_id["golden.b"].outcome is Outcome.PASS


def test_a_crash_leaves_its_traceback_as_evidence(run, tmp_path):
    done = run(Stub(do=raising(ZeroDivisionError("ours"))))
    path = next(iter(done.by_id["golden.a"].evidence_files))
    assert "ZeroDivisionError" in (tmp_path / "evidence" / path).read_text()


def test_a_judge_that_crashes_is_an_error_too(run):
    check = Stub()
    check.judge = lambda _evidence, _limits: 1 / 0
    assert run(check).by_id["golden.a"].error.kind is ErrorKind.HARNESS


def test_fail_fast_leaves_the_rest_out(run):
    last = Stub("scenarios.a", Stage.FRESH)
    done = run(Stub(outcome=Outcome.FAIL), last, fail_fast=True)
    assert not last.contexts
    assert done.by_id["scenarios.a"].outcome is Outcome.SKIP
    assert done.verdict.decision is Decision.REJECT


@pytest.mark.parametrize("do", [None, raising(TargetError("exit code 137"))])
def test_fail_fast_acts_between_checks_that_share_a_candidate(run, do):
    second = Stub("golden.b")
    done = run(Stub(do=do, outcome=Outcome.FAIL), second, Stub("scenarios.a", Stage.FRESH), fail_fast=True)
    assert not second.contexts
    assert done.by_id["scenarios.a"].reason == "left out after the first failure (--fail-fast)"
    assert done.candidate.entered == 1


def test_the_log_of_every_target_is_kept_without_secrets(suite, tmp_path):
    suite = type(suite)(
        suite.path,
        suite.text,
        suite.config.model_copy(update={"auth": suite.config.auth.model_copy(update={"keys": ("k",)})}),
    )
    candidate, reference = FakeTarget(), FakeTarget()
    reference.endpoint.written = "reference"

    def write(context):
        candidate.endpoint.written = f"got {context.credentials.key('k')}\n"

    checks = Stub(do=write), Stub("latency.a", Stage.PAIRED, do=write)
    done = Run(suite, tmp_path / "e", *checks, candidate=candidate, reference=reference)
    folder = tmp_path / "e" / "lifecycle.target"
    logs = {path.name: path.read_text() for path in folder.glob("*.log")}
    got = "got $GATE_KEY_K\n"
    assert logs == {"candidate-1.log": got, "candidate-2.log": got, "reference-2.log": "reference"}
    kept = set(done.by_id["lifecycle.target"].evidence_files)
    assert kept == {f"lifecycle.target/{name}" for name in [*logs, "evidence.json"]}


def test_the_log_of_a_target_that_never_got_ready_is_kept(run, tmp_path):
    done = run(Stub(), candidate=never_ready("no model file\n"))
    path = done.by_id["lifecycle.target"].findings[0].evidence
    assert path == "lifecycle.target/candidate-1.log"
    assert (tmp_path / "evidence" / path).read_text() == "no model file\n"


@pytest.mark.parametrize("error", [Interrupted("SIGINT"), ConfigError(file="x", problem="wrong")])
def test_an_interruption_or_a_mistake_of_the_user_ends_the_run_and_removes_the_target(suite, tmp_path, error):
    target = FakeTarget()
    with pytest.raises(type(error)):
        Run(suite, tmp_path / "e", Stub(do=raising(error)), candidate=target)
    assert (target.entered, target.left) == (1, 1)


def test_what_is_judged_is_what_was_stored(run, tmp_path):
    done = run(Stub())
    files = done.by_id["golden.a"].evidence_files
    assert set(files) == {"golden.a/evidence.json"}
    assert Evidence.load(tmp_path / "evidence" / "golden.a") == Evidence(expected=1, executed=1)


def test_a_secret_in_an_error_is_not_told(suite, tmp_path):
    suite = type(suite)(
        suite.path,
        suite.text,
        suite.config.model_copy(update={"auth": suite.config.auth.model_copy(update={"keys": ("k",)})}),
    )

    def leak(context):
        raise InfrastructureError(f"refused {context.credentials.key('k')}")

    done = Run(suite, tmp_path / "e", Stub(do=leak))
    assert done.by_id["golden.a"].error.message == "refused $GATE_KEY_K"


def test_each_check_has_a_seed_of_its_own_that_follows_from_the_run_s(run):
    first, second = Stub("golden.a"), Stub("golden.b")
    run(first, second)
    assert first.contexts[0].seed == derived_seed(7, "golden.a") != second.contexts[0].seed


def test_events_tell_what_goes_on(run):
    events = [event for event in run(Stub()).events if isinstance(event, CheckStarted | CheckFinished)]
    assert [type(event).__name__ for event in events] == ["CheckStarted", "CheckFinished", "CheckFinished"]


def test_the_evidence_folder_holds_nothing_but_the_checks(run, tmp_path):
    run(Stub())
    assert sorted(path.name for path in Path(tmp_path / "evidence").iterdir()) == [
        "golden.a",
        "lifecycle.target",
    ]


@pytest.mark.parametrize("kind", [Scope.CONTAINER, Scope.PROCESS, Scope.URL])
def test_only_a_reference_that_is_a_container_can_be_started_again(run, kind):
    reference = FakeTarget(FakeEndpoint(description=TargetDescription(kind=kind)))
    stub = Stub()
    run(stub, reference=reference)
    again = stub.contexts[0].start_reference
    assert (again is not None) == (kind is Scope.CONTAINER)
    if again is not None:
        with again(None, until_ready=False):
            assert reference.entered == 1


def test_a_slow_start_says_what_is_waited_for(run, monkeypatch):
    told = threading.Event()

    class Slow(FakeTarget):
        def __enter__(self):
            assert told.wait(10)
            return super().__enter__()

    class Events(list):
        def append(self, event):
            super().append(event)
            if isinstance(event, Note) and event.text.startswith("waiting"):
                told.set()

    monkeypatch.setattr(runner_module, "SLOW_START_S", 0.0)
    done = run(Stub(), candidate=Slow(), events=Events())
    notes = [event.text for event in done.events if isinstance(event, Note)]
    assert notes[:2] == [
        "using the candidate for golden.a",
        "waiting for http://127.0.0.1:9 to get ready, 60 s at most",
    ]


def test_a_start_that_is_soon_over_is_not_waited_for(run):
    done = run(Stub())
    assert not any(isinstance(event, Note) and "waiting" in event.text for event in done.events)
