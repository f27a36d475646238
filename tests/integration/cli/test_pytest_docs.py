"""Every command and every test of docs/pytest.md, run."""

import re
import shlex
from pathlib import Path

import pytest

pytest_plugins = "pytester"

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "pytest.md").read_text(encoding="utf-8")
SHELL = "".join(re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
COMMANDS = [shlex.split(line, comments=True) for line in SHELL.splitlines()]
TESTS = re.findall(r'^```python\n"""(test_\w+\.py)"""\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL)
OPTIONS = re.findall(r"^\| `(--gate-\w+)=", PAGE, re.MULTILINE)
IN_WORKERS = [command for command in COMMANDS if "-n" in command]


@pytest.fixture
def reader(pytester, tiny_suite, tiny_url, monkeypatch):
    """Types a command of the page where its suite and its tests lie; a URL stands for each image."""
    suite = tiny_suite()
    suite.parent.rename(pytester.path / "suite")
    (pytester.path / "gate.toml").symlink_to(pytester.path / "suite" / "gate.toml")
    for name, text in TESTS:
        (pytester.path / name).write_text(text)
    monkeypatch.setenv("GATE_KEY_CALLER", "sesame-of-the-caller-1234567890")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)

    def read(command, *more):
        options = [re.sub(r"service:[\d.]+", tiny_url, word) for word in command[1:]]
        config = pytester.path / "suite" / "gate.toml"
        return pytester.runpytest_inprocess("-p", "no:locust", f"--gate-config={config}", *options, *more)

    return read


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in IN_WORKERS], ids=shlex.join)
def test_every_command(reader, command):
    assert command[0] == "pytest"
    assert reader(command).ret == pytest.ExitCode.OK


def test_the_tests_pass_and_show_what_the_page_says(reader):
    (command,) = (each for each in COMMANDS if "test_release.py" in each)
    reader(command).assert_outcomes(passed=2, skipped=1, deselected=2)  # a URL has no log


def test_what_is_shown_for_a_faulty_image(reader, faulty_url):
    shown = re.search(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[1]
    result = reader(
        ["pytest", f"--gate-candidate={faulty_url}", "--gate-reference=none", "-v"], "-p", "no:randomly"
    )
    outcomes = [
        re.split(r" +\[", line)[0] for line in shown.splitlines() if re.search(r"::.* (PASSED|FAILED) ", line)
    ]
    assert outcomes
    for line in [
        *outcomes,
        *(line for line in shown.splitlines() if line.startswith(("golden", "obs", "samp", "REJ"))),
    ]:
        assert line in result.stdout.str()


def test_the_options_are_those_of_the_plugin(pytester):
    told = pytester.runpytest_inprocess("-p", "no:locust", "--help").stdout.str()
    assert set(re.findall(r"^ +(--gate-\w+)=", told, re.MULTILINE)) == set(OPTIONS)


def test_the_command_with_workers_is_run_elsewhere():
    """By test_pytest_together.py, which takes the seconds that two workers take to start."""
    assert [command[-2:] for command in IN_WORKERS] == [["-n", "2"]]
