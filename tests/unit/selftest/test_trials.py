"""Trials on disk: whole lines, of one digest, held by one selftest at a time."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selftest_samples import HEALTHY, trial

from harness.config.suite import parse_suite
from harness.errors import ConfigError, InfrastructureError, UsageError
from harness.selftest.model import Mode, Result
from harness.selftest.proxy.catalogue import FAULTS
from harness.selftest.trials import (
    TrialStore,
    catalogue_files,
    digest_of,
    is_done,
    last_of_each,
    package_files,
)

SUITE = """
schema_version = 1
name = "tiny"
[service]
port = 8000
ready_path = "/ready"
"""


@pytest.fixture
def store(tmp_path):
    return TrialStore(tmp_path)


def test_what_was_written_is_read(store):
    made = [trial("a"), trial("b", Result.INACTIVE), trial("a", Result.ERROR, why="it was \u202e gone\n")]
    for each in made:
        store.append(each)
    assert list(store.read()) == made
    assert store.path.read_bytes().isascii()
    assert store.path.read_bytes().count(b"\n") == len(made)


def test_there_is_nothing_at_first(store):
    assert store.read() == ()


@given(st.integers(min_value=1, max_value=200))
def test_a_line_that_was_cut_is_as_if_it_never_was(tmp_path_factory, cut):
    store = TrialStore(tmp_path_factory.mktemp("store"))
    store.append(trial("a"))
    store.append(trial("b"))
    store.path.write_bytes(store.path.read_bytes()[:-cut])
    assert [each.name for each in store.read()] == ["a"]
    store.append(trial("c"))
    assert [each.name for each in store.read()] == ["a", "c"]


@pytest.mark.parametrize("line", [b"{}", b"not JSON", b"\xff", b"[]"])
def test_a_line_that_is_no_trial_is_named(store, line):
    store.append(trial("a"))
    store.path.write_bytes(store.path.read_bytes() + line + b"\n")
    with pytest.raises(ConfigError, match=r"trials\.jsonl: line 2: no trial"):
        store.read()


HOLDING = """
import sys
from pathlib import Path
from harness.selftest.trials import TrialStore

with TrialStore(Path(sys.argv[1])).held():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_selftest_at_a_time_writes_to_a_folder(store):
    command = [sys.executable, "-c", HOLDING, store.folder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(UsageError, match="another selftest"), store.held():
            pass
        other.stdin.close()
    with store.held():
        pass


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="--out"), TrialStore(tmp_path / "file" / "x").held():
        pass


def test_a_trial_that_cannot_be_written_is_told(store):
    store.path.mkdir()
    with pytest.raises(InfrastructureError, match="the trial of a could not be written"):
        store.append(trial("a"))


def test_the_last_trial_of_each_entry_counts_as_it_was_asked_for():
    made = [
        trial("a", Result.ERROR),
        trial("a", Result.SURVIVED),
        trial("a", mode=Mode.FULL),
        trial("a", seed=1),
        trial("b"),
    ]
    found = last_of_each(made, Mode.QUICK, 0)
    assert {name: each.result for name, each in found.items()} == {"a": Result.SURVIVED, "b": Result.KILLED}
    assert {name: each.earlier for name, each in found.items()} == {"a": 1, "b": 0}


@pytest.mark.parametrize("result", Result)
def test_only_what_was_left_open_is_tried_again(result):
    """A survivor that were asked again until it is killed would be no survivor."""
    left_open = {Result.ERROR, Result.UNDECIDED, Result.INACTIVE}
    assert is_done(trial("a", result), HEALTHY) == (result not in left_open)


def test_what_a_gate_showed_to_be_inactive_is_not_tried_again():
    """The proxy found nothing to change in all that was asked, and will not next time."""
    assert is_done(trial("a", Result.INACTIVE, report="runs/quick/a/report.json"), HEALTHY)


def test_a_trial_of_another_image_is_none():
    assert not is_done(trial("a"), "sha256:" + "cd" * 32)
    assert not is_done(None, HEALTHY)


def test_the_digest_is_of_suite_catalogue_and_what_else_there_is(tmp_path):
    first, other = (parse_suite(text, tmp_path / "gate.toml") for text in (SUITE, SUITE + "memory = '2g'\n"))
    file = tmp_path / "catalogue" / "faults" / "off" / "fault.toml"
    file.parent.mkdir(parents=True)
    (file.parent / "__pycache__").mkdir()
    (file.parent / "__pycache__" / "fault.pyc").write_text("")
    file.write_text("a")
    files = catalogue_files(tmp_path / "catalogue")
    assert list(files) == ["faults/off/fault.toml"]
    suites = [(first, {"a": "1", "b": "2"})]
    digest = digest_of(suites, files)
    assert digest == digest_of([(first, {"b": "2", "a": "1"})], files)
    others = {digest_of([(other, suites[0][1])], files), digest_of([(first, {"a": "1", "b": "3"})], files)}
    others |= {digest_of(suites, {}), digest_of(suites, files, ["x"])}
    file.write_text("b")
    others.add(digest_of(suites, files))
    assert len(others | {digest}) == 6


def test_the_digest_is_of_the_harness_with_its_tables():
    names = [path.relative_to(FAULTS.parents[2]).as_posix() for path in package_files()]
    assert {"selftest/trials.py", "selftest/proxy/process.py", "selftest/proxy/faults.toml"} <= set(names)
    assert {name.rpartition(".")[2] for name in names} == {"py", "toml"}
