"""``gate_candidate``, ``gate_reference``, ``gate_credentials``: for tests of one's own, without an engine."""

import pytest

pytest_plugins = "pytester"

SECRET = "sesame-of-the-caller-1234567890"
NOWHERE = "http://127.0.0.1:9"
ASKING = """
import httpx

def ask(target, credentials, x):
    headers = credentials.headers("caller")
    return httpx.post(f"{target.base_url}/predict", json={"x": x}, headers=headers).json()
"""


@pytest.fixture
def run_own(pytester, monkeypatch, tiny_suite):
    """Runs tests of one's own and no others, by default against the service of the suite's folder."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    config = tiny_suite()

    def run(tests, *options, candidate=config.parent, config=config):
        pytester.makepyfile(ASKING + tests)
        given = ["--gate-candidate", str(candidate)] if candidate else []
        return pytester.runpytest_inprocess(
            *("-p", "no:locust", "-p", "no:randomly", "-m", "not gate", "-rs", "--tb=short"),
            *("--gate-config", str(config), *given, *map(str, options)),
        )

    return run


TWO = """
def test_one(gate_candidate, gate_credentials):
    assert ask(gate_candidate, gate_credentials, 2) == {"y": 4}
    assert gate_candidate.description.kind == "process"

def test_other(gate_candidate, gate_reference, gate_credentials):
    assert gate_candidate.alive() and "serving" in gate_candidate.logs()
    assert gate_candidate.base_url != gate_reference.base_url
    for target in (gate_candidate, gate_reference):
        print("asked", target.base_url)
        assert ask(target, gate_credentials, 3) == {"y": 6}
"""


def test_they_are_started_once_and_removed(run_own, temporary):
    result = run_own(TWO, "--setup-show")
    result.assert_outcomes(passed=2, deselected=2)
    for fixture in ("gate_candidate", "gate_reference"):
        assert result.stdout.str().count(f"SETUP    S {fixture}") == 1
        assert result.stdout.str().count(f"TEARDOWN S {fixture}") == 1
    assert list(temporary.iterdir()) == []


def test_nothing_starts_that_no_test_asks_for(run_own):
    result = run_own("def test_other(): pass", "--setup-show", candidate=NOWHERE)
    result.assert_outcomes(passed=1, deselected=2)
    result.stdout.no_fnmatch_line("*gate_*")


def test_without_a_candidate_they_skip_and_say_why(run_own):
    result = run_own(TWO, candidate=None)
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["SKIPPED * needs --gate-candidate=IMAGE, a URL or a folder"])


def test_a_first_release_has_no_reference(run_own):
    result = run_own(TWO, "--gate-reference", "none")
    result.assert_outcomes(passed=1, skipped=1, deselected=2)
    result.stdout.fnmatch_lines(["SKIPPED * --gate-reference none"])


def test_a_url_is_asked_with_the_secrets_that_are_given(run_own, tiny_url, monkeypatch):
    test = """
def test_one(gate_candidate, gate_credentials):
    assert gate_credentials.key("caller") == "sesame-of-the-caller-1234567890"
    assert ask(gate_candidate, gate_credentials, 2) == {"y": 4}

def test_other(gate_reference): pass
"""
    monkeypatch.setenv("GATE_KEY_CALLER", SECRET)
    result = run_own(test, candidate=tiny_url)
    result.assert_outcomes(passed=1, errors=1, deselected=2)
    result.stdout.fnmatch_lines(["a URL needs --gate-reference", "name the URL *"])
    monkeypatch.delenv("GATE_KEY_CALLER")
    result = run_own(test, candidate=tiny_url)
    result.assert_outcomes(errors=2, deselected=2)
    result.stdout.fnmatch_lines(["environment variable GATE_KEY_CALLER is not set"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_url_has_no_log_that_a_test_could_pass_by(run_own, tiny_url, monkeypatch):
    monkeypatch.setenv("GATE_KEY_CALLER", SECRET)
    test = """
def test_log(gate_candidate):
    assert "123456789" not in gate_candidate.logs()

def test_rest(gate_candidate):
    assert gate_candidate.alive() and gate_candidate.cpu_s() is gate_candidate.memory_bytes() is None
    assert gate_candidate.base_urls == (gate_candidate.base_url,)
"""
    result = run_own(test, candidate=tiny_url)
    result.assert_outcomes(passed=1, skipped=1, deselected=2)
    result.stdout.fnmatch_lines(["SKIPPED * the candidate is a URL, whose log is not there to read"])


def test_a_candidate_that_does_not_start_is_an_error_with_its_log(run_own, tiny_suite, tmp_path):
    config = tiny_suite(replace={'"server.py"]': '"server.py", "exit"]'}, folder=tmp_path / "exits")
    result = run_own(TWO, config=config, candidate=config.parent)
    result.assert_outcomes(errors=2, deselected=2)
    result.stdout.fnmatch_lines(["*the candidate did not get ready: *exit*", "no model file at /model.onnx"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_an_engine_that_does_not_answer_is_an_error_that_says_what_to_do(run_own, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
    result = run_own(TWO, candidate="service:1.4.0")
    result.assert_outcomes(errors=2, deselected=2)
    result.stdout.fnmatch_lines(["*no engine answers there", "start it, or unset DOCKER_HOST"])
    result.stdout.no_fnmatch_line("*another exception*")


@pytest.mark.parametrize("style", ["long", "native", "no"])
def test_no_secret_is_shown(run_own, tiny_url, monkeypatch, pytester, style):
    monkeypatch.setenv("GATE_KEY_CALLER", SECRET)
    result = run_own(
        """
def test_one(gate_candidate, gate_credentials):
    headers = gate_credentials.headers("caller")
    print("sent", headers)
    assert headers == {}, f"sent {headers}"
""",
        *("--showlocals", f"--tb={style}", "--junit-xml=junit.xml", "-o", "junit_logging=all"),
        candidate=tiny_url,
    )
    result.assert_outcomes(failed=1, deselected=2)
    assert SECRET not in result.stdout.str()
    told = (pytester.path / "junit.xml").read_text()
    assert "$GATE_KEY_CALLER" in told
    assert SECRET not in told
