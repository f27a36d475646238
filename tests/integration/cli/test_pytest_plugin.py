"""``pytest --gate-candidate``: items for checks, reports for findings; on a URL, so without an engine."""

import json
import logging
import subprocess
import sys
import warnings
from xml.etree import ElementTree as ET

import pytest

from harness.errors import InfrastructureError
from harness.pytest_plugin import session

pytest_plugins = "pytester"

SECRET = "sesame-of-the-caller-1234567890"
ITEMS = ["gate::golden.single", "gate::lifecycle.target", "gate::verdict"]
FINDINGS = [
    "gate::golden.single::answers",
    "gate::golden.single::y",
    "gate::lifecycle.target::ready",
    "gate::lifecycle.target::alive",
]
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def run_pytest(pytester, monkeypatch, tiny_suite):
    """Runs pytest with the plugin as it is installed."""
    monkeypatch.setenv("GATE_KEY_CALLER", SECRET)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    config = tiny_suite()

    def run(*options, candidate=None):
        given = ["--gate-candidate", candidate, "--gate-reference", "none"] if candidate else []
        return pytester.runpytest_inprocess(
            *("-p", "no:locust", "-p", "no:randomly", f"--rootdir={pytester.path}"),
            *("--gate-config", str(config), *given, *map(str, options)),
        )

    return run


def test_each_check_and_each_finding_passes(run_pytest, tiny_url, pytester):
    result = run_pytest("-v", candidate=tiny_url)
    result.assert_outcomes(passed=len(ITEMS) + len(FINDINGS))
    for item in [*ITEMS, *FINDINGS]:
        result.stdout.fnmatch_lines([f"{item} PASSED*"])
    result.stdout.fnmatch_lines(
        ["gate::verdict PASSED*100%*", "*release gate*", "PROMOTE *", "report *.json"]
    )
    assert len(list(pytester.path.glob("reports/*.json"))) == 1


def test_a_failure_shows_observed_limit_and_how_to_reproduce(run_pytest, faulty_url):
    result = run_pytest(candidate=faulty_url)
    result.assert_outcomes(passed=4, failed=3)
    result.stdout.fnmatch_lines(["*golden.single: fail*", "*golden.single.y: *", "*report: *"])
    result.stdout.fnmatch_lines(
        ["*golden.single.y: *", "observed * limit *", "reproduce: harness run *", "*curl*"]
    )
    result.stdout.fnmatch_lines(["*verdict: reject*", "*golden.single.y: *"])
    result.stdout.fnmatch_lines(["REJECT *", "FAILED gate::golden.single::y - *", "FAILED gate::verdict - *"])
    result.stdout.no_fnmatch_line("*Traceback*")
    assert SECRET not in result.stdout.str()


def test_what_happens_is_shown_while_it_happens(run_pytest, tiny_url):
    told = "*using the candidate for golden.single*"
    run_pytest(candidate=tiny_url).stderr.fnmatch_lines([told])
    run_pytest("-q", candidate=tiny_url).stderr.no_fnmatch_line(told)


def test_junit_has_each_finding_with_what_was_measured(run_pytest, faulty_url, pytester):
    run_pytest("--junit-xml", "junit.xml", candidate=faulty_url)
    (suite,) = ET.parse(pytester.path / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("7", "3", "0")
    cases = {f"{case.get('classname')}::{case.get('name')}": case for case in suite}
    assert set(cases) == {name.replace("::", ".", name.count("::") - 1) for name in [*ITEMS, *FINDINGS]}
    failed = cases["gate.golden.single::y"]
    assert "observed 11 cases off, limit 0 cases off" in failed.find("failure").text
    for case in (failed, cases["gate.golden.single::answers"]):
        properties = {each.get("name"): each.get("value") for each in case.iter("property")}
        assert properties["limit"].startswith("0 cases")
        assert properties["reproduce"].startswith("harness run ")


def test_the_first_failure_ends_it_with_all_findings_of_its_check(run_pytest, faulty_url):
    result = run_pytest("-x", "-v", candidate=faulty_url)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["gate::golden.single::y FAILED*", "*release gate*", "REJECT *"])
    result.stdout.no_fnmatch_line("gate::verdict*")


def test_what_failed_last_is_asked_again_and_so_is_the_verdict(run_pytest, faulty_url, tiny_url, pytester):
    assert run_pytest(candidate=faulty_url).ret == pytest.ExitCode.TESTS_FAILED
    cached = pytester.path / ".pytest_cache" / "v" / "cache" / "lastfailed"
    assert set(json.loads(cached.read_text())) == {
        "gate::golden.single",
        "gate::golden.single::y",
        "gate::verdict",
    }
    cached.write_text('{"gate::golden.single": true}')  # as after a failure that the verdict does not mind
    result = run_pytest("--lf", "-v", candidate=tiny_url)
    result.assert_outcomes(passed=4, deselected=1)
    result.stdout.fnmatch_lines(["gate::golden.single PASSED*", "gate::verdict PASSED*"])
    assert json.loads(cached.read_text()) == {}


@pytest.fixture
def impatient(tiny_suite, tmp_path):
    return tiny_suite(replace={"ready_timeout_s = 15": "ready_timeout_s = 1"}, folder=tmp_path / "impatient")


def test_a_candidate_that_does_not_answer(run_pytest, impatient):
    result = run_pytest("--gate-config", impatient, "-rs", candidate=NOWHERE)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*lifecycle.target: fail*", "*not ready within 1 s*", "*verdict: reject*"])
    result.stdout.fnmatch_lines(["SKIPPED * golden.single: skip - the candidate did not get ready"])


@pytest.mark.parametrize("selection", ["golden.single", "lifecycle"])
def test_no_selection_hides_a_candidate_that_does_not_answer(run_pytest, impatient, selection):
    result = run_pytest("--gate-config", impatient, "-k", selection, candidate=NOWHERE)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*verdict: reject*", "*lifecycle.target.ready: *"])


def test_no_selection_hides_what_another_check_found(run_pytest, faulty_url):
    result = run_pytest("-k", "lifecycle", candidate=faulty_url)
    result.assert_outcomes(passed=3, failed=1, deselected=1)
    result.stdout.fnmatch_lines(["*verdict: reject*", "*golden.single.y: *"])


def test_a_check_that_is_asked_for_is_required(run_pytest, tiny_suite, tmp_path, tiny_url):
    config = tiny_suite(replace={'required = ["golden"]': 'required = ["drift"]'}, folder=tmp_path / "other")
    undecided = run_pytest("--gate-config", config, candidate=tiny_url)
    undecided.assert_outcomes(passed=6, errors=1)
    undecided.stdout.fnmatch_lines(
        ["*ERROR at setup of gate verdict*", "verdict: inconclusive, *", "*drift: required*"]
    )
    asked = run_pytest("--gate-config", config, "-k", "golden", candidate=tiny_url)
    asked.assert_outcomes(passed=4, deselected=1)


def test_a_gate_that_cannot_be_made_is_tried_once(run_pytest, monkeypatch):
    tried = []

    def refuse(*arguments):
        tried.append(arguments)
        raise InfrastructureError("the engine is gone", fix="start it")

    monkeypatch.setattr(session, "gate", refuse)
    result = run_pytest(candidate=NOWHERE)
    result.assert_outcomes(errors=3)
    assert len(tried) == 1
    result.stdout.fnmatch_lines(["the engine is gone", "start it"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_what_libraries_warn_of_and_write_is_not_shown(run_pytest, monkeypatch):
    def refuse(*_arguments):
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        logging.getLogger("library").error("from the candidate: \x1b[31m")
        raise InfrastructureError("the engine is gone")

    monkeypatch.setattr(session, "gate", refuse)
    result = run_pytest("-W", "error", candidate=NOWHERE)
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(["the engine is gone"])
    result.stdout.no_fnmatch_line("*from the candidate*")


def test_nothing_heavy_is_imported_without_the_option(tmp_path):
    tmp_path.joinpath("test_other.py").write_text(
        "import sys\n"
        "def test_other():\n"
        "    assert 'harness.pytest_plugin.fixtures' in sys.modules\n"
        "    heavy = {'pydantic', 'numpy', 'httpx', 'docker', 'locust', 'rich', 'harness.gate'}\n"
        "    assert heavy & set(sys.modules) == set()\n"
    )
    others = ("-p", "no:schemathesis", "-p", "no:locust", "-p", "no:randomly", "-p", "no:hypothesispytest")
    command = [sys.executable, "-m", "pytest", "-q", *others, "-p", "no:cacheprovider"]
    result = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_nothing_is_asked_at_collection(run_pytest, pytester):
    result = run_pytest("--collect-only", "-q", candidate=NOWHERE)
    assert result.ret == 0
    result.stdout.fnmatch_lines(ITEMS)
    assert not pytester.path.joinpath("reports").exists()


def test_k_selects_checks(run_pytest, tiny_url):
    result = run_pytest("-k", "golden", candidate=tiny_url)
    result.assert_outcomes(passed=4, deselected=1)
    result.stdout.fnmatch_lines(["collected 3 items / 1 deselected / 2 selected"])


def test_m_selects_the_gate_and_its_families(run_pytest, tiny_url, pytester):
    pytester.makepyfile("def test_other(): pass")
    run_pytest("-m", "gate", candidate=tiny_url).assert_outcomes(passed=7, deselected=1)
    run_pytest("-m", "not gate", candidate=NOWHERE).assert_outcomes(passed=1, deselected=2)
    family = run_pytest("-m", "gate(family='golden')", candidate=tiny_url)
    family.assert_outcomes(passed=4, deselected=2)


def test_without_the_option_it_is_silent(run_pytest, pytester):
    pytester.makepyfile("def test_other(): pass")
    result = run_pytest()
    result.assert_outcomes(passed=1)
    assert "gate" not in result.stdout.str().replace(str(pytester.path), "")


@pytest.mark.parametrize("option", ["only=golden", "reference=none", "device=gpu", "out=x", "seed=0"])
def test_an_option_that_would_do_nothing_is_refused(run_pytest, option):
    result = run_pytest(f"--gate-{option}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--gate-{option.partition('=')[0]} needs --gate-candidate*"])


@pytest.mark.parametrize("option", ["candidate", "reference", "config", "out"])
@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_value_is_no_way_to_leave_the_gate_out(run_pytest, option, value):
    result = run_pytest(f"--gate-{option}={value}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--gate-{option} is empty*"])


@pytest.mark.parametrize("selection", [("-k", "other"), ("-m", "not gate", "-n", "1")])
def test_a_gate_that_is_deselected_is_told(run_pytest, pytester, selection):
    pytester.makepyfile("def test_other(): pass")
    result = run_pytest(*selection, candidate=NOWHERE)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*release gate*", "gate deselected: nothing was gated", "*1 passed*"])


def test_an_unknown_family_is_refused(run_pytest, tiny_url):
    result = run_pytest("--gate-only", "goldn", candidate=tiny_url)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--gate-only goldn: no such family or check", "did you mean 'golden'?*"])


@pytest.mark.parametrize("name", ["golden", "golden.single"])
def test_a_family_or_a_check_is_asked_for(run_pytest, tiny_url, name):
    result = run_pytest("--gate-only", name, candidate=tiny_url)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines([f"PROMOTE *, {name} only (partial)", "Partial: *"])


def test_a_family_that_the_suite_does_not_declare_is_refused(run_pytest):
    result = run_pytest("--gate-only", "fuzz", candidate=NOWHERE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--gate-only fuzz: *does not declare it*"])


def test_a_mistake_in_the_suite_is_a_usage_error(run_pytest, tiny_suite, tmp_path):
    config = tiny_suite(replace={"port = 8080": "prot = 8080"}, folder=tmp_path / "misspelt")
    result = run_pytest("--gate-config", config, candidate=NOWHERE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*service.p*"])


def test_workers_are_not_started_on_a_mistake(run_pytest, tmp_path):
    result = run_pytest("-n", "2", "--gate-config", tmp_path / "none.toml", candidate=NOWHERE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*none.toml*", "*--gate-config*"])


def test_the_reports_go_where_they_are_wanted(run_pytest, tiny_url, tmp_path):
    run_pytest("--gate-out", tmp_path / "elsewhere", candidate=tiny_url).assert_outcomes(passed=7)
    assert len(list((tmp_path / "elsewhere").glob("*.json"))) == 1
