"""What the runner makes of targets that misbehave, with targets and a check made for it."""

from datetime import date
from typing import ClassVar

import pytest

from harness.checks.interface import Evidence, Stage
from harness.config.section import FamilySettings
from harness.config.suite import parse_suite
from harness.credentials import Credentials
from harness.errors import Interrupted, TargetError
from harness.events import Note
from harness.model import Family, Finding, Outcome, Scope, TargetDescription
from harness.plan import Plan, PlannedCheck
from harness.runner import Runner
from harness.targets.interface import RemovalError
from harness.targets.launch import Launch

SUITE = parse_suite(
    'schema_version = 1\nname = "s"\n[service]\nport = 1\nready_path = "/"\n',
    "gate.toml",
)


class FakeTarget:
    """Starts and ends as it is told; notes each entry and exit."""

    base_url = "http://127.0.0.1:9"
    description = TargetDescription(kind=Scope.URL, startup_s=0.1)

    def __init__(self, *, start_error=None, removal_error=None, alive=True):
        self.start_error, self.removal_error, self.living = start_error, removal_error, alive
        self.entered = self.left = 0

    def __enter__(self):
        self.entered += 1
        if self.start_error:
            raise self.start_error
        return self

    def __exit__(self, kind, *_exc):
        self.left += 1
        if self.removal_error and kind is None:
            raise self.removal_error

    def alive(self):
        return self.living

    def logs(self):
        return "first line\nlast line\n"


class FakeCheck:
    """Passes with one case, or raises."""

    family: ClassVar[Family] = Family.GOLDEN
    stage: ClassVar[Stage] = Stage.FRESH
    needs: ClassVar[frozenset] = frozenset()
    evidence: ClassVar[type] = Evidence

    def __init__(self, name, error=None):
        self.id = f"golden.{name}"
        self.error = error
        self.asked = 0

    def verify_inputs(self, _suite, _settings):
        pass

    def collect(self, _context, _settings):
        self.asked += 1
        if self.error:
            raise self.error
        return Evidence(expected=1, executed=1)

    def judge(self, _evidence, _limits):
        return [Finding(id=f"{self.id}.all", outcome=Outcome.PASS, message="as it should be")]


@pytest.fixture
def run(tmp_path):
    """Runs each check on a target of its own; gives outcomes by id, and the notes."""

    def run(target, *checks):
        notes = []
        runner = Runner(
            suite=SUITE,
            credentials=Credentials(SUITE.config.auth, {}),
            candidate=Launch(TargetDescription(kind=Scope.URL), lambda _cpus: target),
            reference=None,
            seed=0,
            folder=tmp_path,
            reproduce=lambda family: f"again {family}",
            today=date(2026, 1, 1),
            emit=lambda event: notes.append(event.text) if isinstance(event, Note) else None,
        )
        groups = tuple((PlannedCheck(check, FamilySettings(), required=True),) for check in checks)
        plan = Plan(groups=groups, not_applicable=(), not_declared=(), undeclared=(), partial=False)
        return {result.id: result for result in runner.run(plan).results}, notes

    return run


def test_what_was_measured_stands_though_the_target_cannot_be_removed(run):
    target = FakeTarget(removal_error=RemovalError("harness-1: device busy"))
    results, notes = run(target, FakeCheck("one"), FakeCheck("two"))
    assert {result.outcome for result in results.values()} == {Outcome.PASS}
    assert sum("harness-1: device busy" in note for note in notes) == 2


def test_an_interruption_ends_the_run_and_leaves_the_target(run):
    target, second = FakeTarget(), FakeCheck("two")
    with pytest.raises(Interrupted):
        run(target, FakeCheck("one", Interrupted("SIGTERM")), second)
    assert (target.entered, target.left) == (1, 1)
    assert second.asked == 0


def test_a_target_that_never_starts_is_tried_once(run):
    target = FakeTarget(start_error=TargetError("exit code 3", logs="why\n"))
    results, _ = run(target, FakeCheck("one"), FakeCheck("two"))
    assert target.entered == 1
    assert results["golden.one"].outcome is results["golden.two"].outcome is Outcome.SKIP
    ready = results["lifecycle.target"].findings[0]
    assert ready.outcome is Outcome.FAIL
    assert ready.message == "exit code 3; its last line: why"


def test_one_that_died_unnoticed_by_a_check_is_noticed(run):
    results, _ = run(FakeTarget(alive=False), FakeCheck("one"))
    alive = results["lifecycle.target"].findings[1]
    assert alive.outcome is Outcome.FAIL
    assert alive.message == "it no longer ran after golden.one; its last line: last line"
    assert results["golden.one"].outcome is Outcome.PASS


def test_a_crash_of_a_check_is_an_error_of_ours_and_the_rest_is_made(run, tmp_path):
    second = FakeCheck("two")
    results, _ = run(FakeTarget(), FakeCheck("one", ZeroDivisionError("oops")), second)
    assert results["golden.one"].outcome is Outcome.ERROR
    assert "ZeroDivisionError: oops" in results["golden.one"].reason
    assert "oops" in (tmp_path / "golden.one" / "traceback.txt").read_text()
    assert second.asked == 1
