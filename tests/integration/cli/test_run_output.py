"""What ``harness run`` says, on a URL: machines read stdout, people read stderr."""

import json
import shlex

import pytest

from harness.errors import ExitCode

SECRET = "sesame-of-the-caller-1234567890"


@pytest.fixture
def run_url(run_main, tiny_suite, tmp_path):
    """Gates a URL by the tiny suite."""
    config = tiny_suite()

    def run(url, *options, **environ):
        return run_main(
            *("run", "--config", config, "--candidate", url, "--reference", "none"),
            *("--out", tmp_path / "reports", *options),
            **{"GATE_KEY_CALLER": SECRET, "NO_COLOR": "1", **environ},
        )

    return run


def test_promote(run_url, tiny_url, tmp_path):
    result = run_url(tiny_url)
    assert result.returncode == ExitCode.PROMOTE, result.stderr
    assert result.stdout == ""
    assert any(line.startswith("PROMOTE") for line in result.stderr.splitlines())
    (report,) = (tmp_path / "reports").glob("*.json")
    assert report.name.split("-")[1] == "url"
    assert json.loads(report.read_text())["scope"] == "url"


def test_reject_says_what_where_and_how_to_see_it_again(run_url, faulty_url):
    result = run_url(faulty_url)
    assert result.returncode == ExitCode.REJECT
    lines = [line.strip() for line in result.stderr.splitlines()]
    assert any(line.startswith("REJECT") for line in lines)
    assert "fail  golden.single.y" in lines
    assert any("observed" in line and "limit" in line for line in lines)
    assert any(line.startswith("$ ") for line in lines)


def test_a_family_is_run_again_by_the_command_that_it_names(
    run_url, run_main, faulty_url, tmp_path, monkeypatch
):
    report = json.loads(run_url(faulty_url, "--json").stdout)
    (lifecycle,) = [check for check in report["checks"] if check["id"] == "lifecycle.target"]
    command = shlex.split(lifecycle["findings"][0]["reproduce"])
    assert command[:2] == ["harness", "run"]
    monkeypatch.chdir(tmp_path)  # it names no folder for its report
    again = run_main(*command[1:], GATE_KEY_CALLER=SECRET)
    assert again.returncode == ExitCode.REJECT


def test_a_url_that_does_not_answer_is_rejected(run_main, tiny_suite, tmp_path):
    config = tiny_suite(replace={"ready_timeout_s = 15": "ready_timeout_s = 1"})
    result = run_main(
        *("run", "--config", config, "--candidate", "http://127.0.0.1:9", "--reference", "none"),
        *("--out", tmp_path / "reports"),
        GATE_KEY_CALLER=SECRET,
    )
    assert result.returncode == ExitCode.REJECT
    assert "not ready within 1 s" in result.stderr


@pytest.mark.parametrize("url", ["tiny_url", "faulty_url"])
def test_json_on_stdout_is_pure(run_url, url, request, tmp_path):
    result = run_url(request.getfixturevalue(url), "--json")
    (stored,) = (tmp_path / "reports").glob("*.json")
    assert json.loads(result.stdout) == json.loads(stored.read_text())


def test_no_colour_where_none_is_wanted(run_url, tiny_url):
    result = run_url(tiny_url, FORCE_COLOR="")
    assert "\x1b" not in result.stderr
    assert "\x1b" not in run_url(tiny_url, "--json").stdout


def test_the_secret_is_in_nothing_that_is_written(run_url, faulty_url, tmp_path):
    result = run_url(faulty_url, "--json")
    assert SECRET not in result.stdout + result.stderr
    files = [file for file in (tmp_path / "reports").rglob("*") if file.is_file()]
    assert len(files) >= 5
    assert [file for file in files if SECRET.encode() in file.read_bytes()] == []


def test_the_seed_given_is_the_one_of_the_report_and_of_its_commands(run_url, faulty_url):
    """What follows from a seed is tested where it is used: in the runner, in fuzzing and in the load."""
    report = json.loads(run_url(faulty_url, "--json", "--seed", "7").stdout)
    assert report["seed"] == 7
    (lifecycle,) = [check for check in report["checks"] if check["id"] == "lifecycle.target"]
    assert "--seed 7" in lifecycle["findings"][0]["reproduce"]


def test_only_may_name_a_check_of_a_family(run_url, tiny_url):
    result = run_url(tiny_url, "--only", "golden.single", "--json")
    report = json.loads(result.stdout)
    assert (report["partial"], report["only"], report["only_checks"]) == (True, ["golden"], ["golden.single"])
    assert {check["id"] for check in report["checks"]} == {"golden.single", "lifecycle.target"}
    assert "golden.single only (partial)" in result.stderr
