"""``pytest --gate-candidate``: a test item for each check; on a URL, so that no engine is needed."""

import pytest

from harness.errors import InfrastructureError

pytest_plugins = "pytester"

SECRET = "sesame-of-the-caller-1234567890"
ITEMS = ["golden.single", "lifecycle.target", "verdict"]
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
            *("-p", "no:locust", "-p", "no:randomly", "-p", "no:cacheprovider"),
            *("--gate-config", str(config), *given, *map(str, options)),
        )

    return run


def test_an_item_for_each_check_passes(run_pytest, tiny_url, pytester):
    result = run_pytest("-v", candidate=tiny_url)
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines([f"*{item.replace('.', '::')} PASSED*" for item in ITEMS])
    assert len(list(pytester.path.glob("reports/*.json"))) == 1


def test_a_failure_shows_observed_limit_and_how_to_reproduce(run_pytest, faulty_url):
    result = run_pytest(candidate=faulty_url)
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        ["*golden.single: fail*", "*golden.single.y: *", "*observed * limit *", "*reproduce: *", "*report: *"]
    )
    result.stdout.fnmatch_lines(["*verdict: reject*", "*golden.single.y: *"])
    result.stdout.no_fnmatch_line("*Traceback*")
    assert SECRET not in result.stdout.str()


@pytest.fixture
def impatient(tiny_suite, tmp_path):
    return tiny_suite(replace={"ready_timeout_s = 15": "ready_timeout_s = 1"}, folder=tmp_path / "impatient")


def test_a_candidate_that_does_not_answer(run_pytest, impatient):
    result = run_pytest("--gate-config", impatient, candidate=NOWHERE)
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(["*lifecycle.target: fail*", "*not ready within 1 s*"])


@pytest.mark.parametrize("selection", ["golden.single", "lifecycle"])
def test_no_selection_hides_a_candidate_that_does_not_answer(run_pytest, impatient, selection):
    result = run_pytest("--gate-config", impatient, "-k", selection, candidate=NOWHERE)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(failed=2, deselected=1)
    result.stdout.fnmatch_lines(["*verdict: reject*", "*lifecycle.target.ready: *"])


def test_no_selection_hides_what_another_check_found(run_pytest, faulty_url):
    result = run_pytest("-k", "lifecycle", candidate=faulty_url)
    result.assert_outcomes(passed=1, failed=1, deselected=1)
    result.stdout.fnmatch_lines(["*verdict: reject*", "*golden.single.y: *"])


def test_a_check_that_is_asked_for_is_required(run_pytest, tiny_suite, tmp_path, tiny_url):
    config = tiny_suite(replace={'required = ["golden"]': 'required = ["drift"]'}, folder=tmp_path / "other")
    run_pytest("--gate-config", config, candidate=tiny_url).assert_outcomes(passed=2, failed=1)
    run_pytest("--gate-config", config, "-k", "golden", candidate=tiny_url).assert_outcomes(
        passed=2, deselected=1
    )


def test_a_gate_that_cannot_be_made_is_tried_once(run_pytest, monkeypatch):
    tried = []

    def refuse(*arguments):
        tried.append(arguments)
        raise InfrastructureError("the engine is gone", fix="start it")

    monkeypatch.setattr("harness.gate.gate", refuse)
    result = run_pytest(candidate=NOWHERE)
    result.assert_outcomes(failed=3)
    assert len(tried) == 1
    result.stdout.fnmatch_lines(["the engine is gone", "start it"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_nothing_is_asked_at_collection(run_pytest, pytester):
    result = run_pytest("--collect-only", "-q", candidate=NOWHERE)
    assert result.ret == 0
    result.stdout.fnmatch_lines([f"*{item}" for item in ITEMS])
    assert not pytester.path.joinpath("reports").exists()


def test_k_selects_checks(run_pytest, tiny_url):
    result = run_pytest("-k", "golden", candidate=tiny_url)
    result.assert_outcomes(passed=2, deselected=1)


def test_m_selects_the_gate(run_pytest, tiny_url, pytester):
    pytester.makepyfile("def test_other(): pass")
    run_pytest("-m", "gate", candidate=tiny_url).assert_outcomes(passed=3, deselected=1)
    run_pytest("-m", "not gate", candidate=NOWHERE).assert_outcomes(passed=1, deselected=2)


def test_without_the_option_it_is_silent(run_pytest, pytester):
    pytester.makepyfile("def test_other(): pass")
    result = run_pytest()
    result.assert_outcomes(passed=1)
    assert "gate" not in result.stdout.str().replace(str(pytester.path), "")


def test_an_option_that_would_do_nothing_is_refused(run_pytest):
    result = run_pytest("--gate-only", "golden")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--gate-only needs --gate-candidate*"])


def test_an_unknown_family_is_refused(run_pytest, tiny_url):
    result = run_pytest("--gate-only", "goldn", candidate=tiny_url)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--gate-only goldn: one of *golden*"])


def test_a_mistake_in_the_suite_is_a_usage_error(run_pytest, tiny_suite, tmp_path):
    config = tiny_suite(replace={"port = 8080": "prot = 8080"}, folder=tmp_path / "misspelt")
    result = run_pytest("--gate-config", config, candidate=NOWHERE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*service.p*"])


def test_the_reports_go_where_they_are_wanted(run_pytest, tiny_url, tmp_path):
    run_pytest("--gate-out", tmp_path / "elsewhere", candidate=tiny_url).assert_outcomes(passed=3)
    assert len(list((tmp_path / "elsewhere").glob("*.json"))) == 1
