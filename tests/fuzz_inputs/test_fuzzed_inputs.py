"""Our own inputs, damaged: success or a clear error, never a traceback, and never without an end.

``--hypothesis-profile=thorough`` asks more than 10,000 examples in all, a few hundred are the default.
"""

import os
import signal
from collections import Counter
from contextlib import contextmanager

import figures
import pytest
import tiny_suite
from fuzzed_inputs import inputs
from hypothesis import HealthCheck, given, settings
from mutations import changed_document, damaged_bytes
from running_gates import gates

from harness.errors import ConfigError, ExitCode

THOROUGH, QUICK = 320, 12
"""Examples of each damage to each input."""
EXAMPLES = THOROUGH if settings().max_examples > 50 else QUICK
NAMES = (
    "gate.toml",
    "golden.toml",
    "cases.jsonl",
    "inputs.jsonl",
    "tokens.toml",
    "gate.toml of the reference",
    "auth.toml",
    "rate_limit.toml",
    "tls.toml",
    "labelled.jsonl",
    "metadata.json",
    "traffic.jsonl",
    "openapi.json",
    "openapi.yaml",
    "a report",
    "a stored run",
    "evidence",
    "manifest.json",
    "reproducer.json",
    "attestation.json",
    "private.pem",
    "public.pem",
    "fault.toml",
    "benign.toml",
    "trials.jsonl",
    "latest.json",
)
WITHOUT_STRUCTURE = ("private.pem", "public.pem")
STRUCTURED = tuple(name for name in NAMES if name not in WITHOUT_STRUCTURE)
OF_ITS_OWN_ACCORD = ("manifest.json", "evidence")
"""Read by the test, before any reader of ours."""
MAY_BE_MISSING = ("trials.jsonl",)
FOUND_BY_A_SUITE = (
    *("golden.toml", "cases.jsonl", "inputs.jsonl", "tokens.toml", "auth.toml", "labelled.jsonl"),
    *("metadata.json", "a report", "a stored run", "fault.toml", "benign.toml", "trials.jsonl"),
    "latest.json",
)
"""What the command line names may be a pipe, and is waited for; what a suite or a folder holds is not."""
MOST_S = 30
MOST_SAID = 20_000

asked = settings(
    max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.fixture(scope="module")
def given_inputs(tmp_path_factory):
    """Every kind of input by name; one of them is the run of a suite that is made here."""
    folder = tmp_path_factory.mktemp("inputs")
    with gates(folder) as start:
        gate = start(tiny_suite.write_suite(folder / "suite"), None)
        assert gate.process.wait(120) == ExitCode.PROMOTE, gate.stderr
        (run,) = gate.out.glob("*.json")
        found = inputs(folder / "given", run)
    assert tuple(found) == NAMES
    return found


@contextmanager
def bounded():
    """No input keeps the reader for long."""

    def give_up(_number, _frame):
        pytest.fail(f"not read within {MOST_S} s")

    previous = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(MOST_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def outcome(of, content):
    """How reading ``content`` ends; what is no error that the reader may raise goes on."""
    of.path.write_bytes(content)
    try:
        with bounded():
            of.read()
    except of.error as error:
        return told(error)
    finally:
        of.path.write_bytes(of.whole)
    return "success"


def told(error):
    """Whether an error says what is wrong, where, and ends with its exit code."""
    said, code = str(error), getattr(error, "exit_code", ExitCode.USAGE)
    placed = not isinstance(error, ConfigError) or ": " in said
    clear = said and len(said) < MOST_SAID and placed and code == ExitCode.USAGE
    return "a clear error" if clear else f"unclear: {code!r} {said[:200]}"


def put_in_place(of, make):
    """How reading ends where ``make`` puts something else in place of the file."""
    mode = of.path.stat().st_mode
    of.path.unlink()
    make(of.path)
    try:
        with bounded():
            of.read()
    except of.error as error:
        return told(error)
    finally:
        if of.path.is_dir() and not of.path.is_symlink():
            of.path.rmdir()
        else:
            of.path.unlink(missing_ok=True)
        of.path.write_bytes(of.whole)
        of.path.chmod(mode)
    return "success"


def test_thoroughly_ten_thousand_examples_are_asked():
    assert THOROUGH * (len(NAMES) + len(STRUCTURED)) >= 10_000


@pytest.mark.parametrize("name", NAMES)
def test_an_input_is_read_as_it_is(given_inputs, name):
    """So that what is found below is the damage's."""
    assert outcome(given_inputs[name], given_inputs[name].whole) == "success"


@pytest.mark.parametrize("name", NAMES)
def test_damage_to_its_bytes(given_inputs, name, record_property):
    of, seen = given_inputs[name], Counter()

    @asked
    @given(damaged_bytes(of.whole))
    def holds(content):
        ended = outcome(of, content)
        seen[ended] += 1
        assert ended in {"success", "a clear error"}

    holds()
    fault = "a file that the harness reads, damaged in its bytes"
    record_property("figures", figures.told(fault, seen, tried=seen.total()))


@pytest.mark.parametrize("name", STRUCTURED)
def test_damage_to_its_structure(given_inputs, name, record_property):
    of, seen = given_inputs[name], Counter()

    @asked
    @given(changed_document(of.document))
    def holds(document):
        ended = outcome(of, of.write(document))
        seen[ended] += 1
        assert ended in {"success", "a clear error"}

    holds()
    fault = "a file that the harness reads, damaged in its structure"
    record_property("figures", figures.told(fault, seen, tried=seen.total()))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OF_ITS_OWN_ACCORD + MAY_BE_MISSING])
@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.mkdir(),
        lambda path: path.symlink_to("nowhere"),
        lambda path: path.symlink_to(path.name),
        lambda _path: None,
    ],
    ids=["folder", "dangling link", "loop", "nothing"],
)
def test_something_else_in_its_place(given_inputs, name, make):
    assert put_in_place(given_inputs[name], make) == "a clear error"


@pytest.mark.parametrize("name", FOUND_BY_A_SUITE)
def test_a_pipe_in_its_place_is_not_waited_for(given_inputs, name):
    assert put_in_place(given_inputs[name], os.mkfifo) == "a clear error"
