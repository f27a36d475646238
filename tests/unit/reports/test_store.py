import errno
import fcntl
import hashlib
import os
import subprocess
import sys
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import report_samples
from hypothesis import given
from hypothesis import strategies as st
from report_samples import promote, reject, report, target

from harness.errors import ConfigError, InfrastructureError, UsageError
from harness.evidence_files import digests
from harness.model import Scope
from harness.reports import store
from harness.reports.store import (
    RunFolder,
    evidence_folder,
    load_report,
    new_run_id,
    verify_evidence,
)

FIRST = "20261121T224017Z-4f2a9c81d0be-aaaaaa"
SECOND = "20261121T224018Z-process-bbbbbb"
SUFFIXES = [".html", ".json", ".junit.xml", ".md"]
NOBODY = 65534


def names(out):
    return sorted(path.name for path in out.iterdir())


def finished(run_id):
    return sorted([run_id, *(f"{run_id}{suffix}" for suffix in SUFFIXES)])


def write_evidence(folder):
    (folder.evidence / "golden.single").mkdir()
    (folder.evidence / "golden.single" / "evidence.json").write_text("{}")


def commit(out, run_id=FIRST):
    folder = RunFolder.create(out, run_id)
    write_evidence(folder)
    return folder.commit(report(run_id=run_id))


# --- run ids


def test_run_id_is_time_candidate_token():
    now = datetime(2026, 11, 22, 0, 40, 17, tzinfo=timezone(timedelta(hours=2)))
    assert new_run_id(now, target(), "aaaaaa") == FIRST
    assert new_run_id(now, target(Scope.PROCESS), "aaaaaa") == "20261121T224017Z-process-aaaaaa"
    assert new_run_id(now, target(Scope.URL), "aaaaaa") == "20261121T224017Z-url-aaaaaa"


@given(st.text())
def test_no_image_id_leads_elsewhere(image_id):
    candidate = target().model_copy(update={"image_id": image_id})
    assert store.RUN_ID.fullmatch(new_run_id(datetime.now(UTC), candidate, "0a"))


@pytest.mark.parametrize("run_id", ["../../etc", "", "a/b", f"{FIRST}.json", f"{FIRST}\n"])
def test_what_is_no_run_id_makes_no_folder(tmp_path, run_id):
    with pytest.raises(ValueError, match="not a run id"):
        RunFolder.create(tmp_path, run_id)
    assert names(tmp_path) == []


# --- writing


def test_commit_leaves_exactly_the_run(tmp_path):
    path = commit(tmp_path / "new" / "reports")
    out = path.parent
    assert names(out) == sorted([*finished(FIRST), "latest"])
    assert (out / "latest").readlink() == Path(f"{FIRST}.json")
    assert list(out.glob("*.json")) == [path]
    assert load_report(path) == report(run_id=FIRST)
    assert evidence_folder(out / "latest") == out.resolve() / FIRST
    assert (out / FIRST / "golden.single" / "evidence.json").read_text() == "{}"
    assert names(out / FIRST) == ["golden.single"]


def test_nothing_is_visible_before_commit_or_after_abandon(tmp_path):
    folder = RunFolder.create(tmp_path, FIRST)
    write_evidence(folder)
    assert [name for name in names(tmp_path) if not name.startswith(".")] == []
    folder.abandon()
    folder.abandon()
    assert names(tmp_path) == []


def test_abandon_after_commit_keeps_the_run(tmp_path):
    folder = RunFolder.create(tmp_path, FIRST)
    folder.commit(report(run_id=FIRST))
    folder.abandon()
    assert names(tmp_path) == sorted([*finished(FIRST), "latest"])


def test_another_runs_report_is_refused(tmp_path):
    folder = RunFolder.create(tmp_path, FIRST)
    with pytest.raises(ValueError, match="in the folder of"):
        folder.commit(report(run_id=SECOND))


def test_a_run_id_is_used_once(tmp_path):
    commit(tmp_path)
    before = {path: path.stat().st_ino for path in tmp_path.iterdir()}
    with pytest.raises(UsageError, match="already"):
        RunFolder.create(tmp_path, FIRST)
    assert {path: path.stat().st_ino for path in tmp_path.iterdir()} == before


def test_two_runs_at_once_do_not_disturb_each_other(tmp_path):
    first = RunFolder.create(tmp_path, FIRST)
    write_evidence(first)
    second = RunFolder.create(tmp_path, SECOND)
    write_evidence(second)
    second.commit(report(run_id=SECOND))
    assert (first.evidence / "golden.single" / "evidence.json").exists()
    first.commit(report(run_id=FIRST))
    assert names(tmp_path) == sorted([*finished(FIRST), *finished(SECOND), "latest"])
    assert (tmp_path / "latest").readlink() == Path(f"{FIRST}.json"), "the last to end is the newest"


def _many(out, worker):
    for turn in range(5):
        commit(out, f"20261121T2240{turn:02d}Z-url-{worker}")


def test_many_runs_in_many_processes(tmp_path):
    script = (
        "import sys; from pathlib import Path; import importlib.util as u\n"
        "def load(name, path):\n"
        "    spec = u.spec_from_file_location(name, path); m = u.module_from_spec(spec)\n"
        "    sys.modules[name] = m\n"
        "    spec.loader.exec_module(m); return m\n"
        f"sys.path.append({str(Path(report_samples.__file__).parent)!r})\n"
        f"load('me', {__file__!r})._many(Path({str(tmp_path)!r}), sys.argv[1])\n"
    )
    workers = [subprocess.Popen([sys.executable, "-c", script, str(worker)]) for worker in range(3)]
    assert [worker.wait(60) for worker in workers] == [0] * 3
    assert len(list(tmp_path.glob("*.json"))) == 15
    assert not list(tmp_path.glob(".*"))
    assert load_report(tmp_path / "latest")


# --- crashes


STEPS = [
    "rename",  # evidence
    "fsync",  # a sidecar is being written
    "replace:.html",
    "replace:.junit.xml",
    "replace:.md",
    "replace:.json",
]


@contextmanager
def crash_at(monkeypatch, step, error):
    """Raise ``error`` in place of the named step of a commit."""
    name, _, suffix = step.partition(":")
    real = {"rename": Path.rename, "replace": Path.replace, "fsync": os.fsync}

    def path_step(self, other, operation=name):
        if Path(other).name.endswith(suffix):
            raise error
        return real[operation](self, other)

    def no_fsync(_descriptor):
        raise error

    with monkeypatch.context() as patched:
        if name == "fsync":
            patched.setattr(os, "fsync", no_fsync)
        else:
            patched.setattr(Path, name, path_step)
        yield


@pytest.mark.parametrize("step", [*STEPS, "replace:latest"])
def test_a_full_disk_leaves_no_trace_and_is_infrastructure(tmp_path, monkeypatch, step):
    commit(tmp_path, SECOND)
    folder = RunFolder.create(tmp_path, FIRST)
    write_evidence(folder)
    full = OSError(errno.ENOSPC, "No space left on device")
    with crash_at(monkeypatch, step, full), pytest.raises(InfrastructureError, match="No space left"):
        folder.commit(report(run_id=FIRST))
    assert names(tmp_path) == sorted([*finished(SECOND), "latest"])
    assert load_report(tmp_path / "latest").run_id == SECOND


class Killed(BaseException):
    """Stands for a process that ends between two steps: nothing after it runs."""


@pytest.mark.parametrize("step", STEPS)
def test_what_a_killed_run_leaves_is_no_run_and_is_cleared(tmp_path, monkeypatch, step):
    folder = RunFolder.create(tmp_path, FIRST)
    write_evidence(folder)
    with crash_at(monkeypatch, step, Killed()), pytest.raises(Killed):
        folder.commit(report(run_id=FIRST))
    assert list(tmp_path.glob("*.json")) == []
    folder.owner.close()  # as the kernel does at a process's end
    RunFolder.create(tmp_path, SECOND).abandon()
    assert names(tmp_path) == []


def test_a_run_killed_after_its_json_is_whole(tmp_path, monkeypatch):
    folder = RunFolder.create(tmp_path, FIRST)
    write_evidence(folder)
    with crash_at(monkeypatch, "replace:latest", Killed()), pytest.raises(Killed):
        folder.commit(report(run_id=FIRST))
    folder.owner.close()
    RunFolder.create(tmp_path, SECOND).abandon()
    assert names(tmp_path) == finished(FIRST)


def test_a_run_that_was_really_killed_is_cleared(tmp_path):
    script = (
        "import os, signal, sys; from pathlib import Path; from harness.reports.store import RunFolder\n"
        "folder = RunFolder.create(Path(sys.argv[1]), sys.argv[2])\n"
        "(folder.evidence / 'x').write_text('x'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", script, tmp_path, FIRST], check=False).returncode == -9
    assert names(tmp_path) == [f".{FIRST}.partial"]
    RunFolder.create(tmp_path, SECOND).abandon()
    assert names(tmp_path) == []


def test_a_clearing_cut_short_is_finished_later(tmp_path):
    (tmp_path / f".{FIRST}.partial").mkdir()
    RunFolder.create(tmp_path, SECOND).abandon()
    assert names(tmp_path) == []


def test_claiming_survives_a_neighbour_that_clears_in_between(tmp_path, monkeypatch):
    real, cleared = fcntl.flock, []

    def clear_first(descriptor, operation):
        if not cleared:
            cleared.append(True)
            store._discard(tmp_path, FIRST)
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", clear_first)
    folder = RunFolder.create(tmp_path, FIRST)
    assert cleared
    assert folder.evidence.is_dir()


@pytest.mark.parametrize("step", ["owner", "evidence"])
def test_a_disk_that_is_full_from_the_start_leaves_no_folder(tmp_path, monkeypatch, step):
    full = OSError(errno.ENOSPC, "No space left on device")
    real = {"owner": Path.open, "evidence": Path.mkdir}

    def refuse(self, *args, **options):
        if self.name == step:
            raise full
        return real[step](self, *args, **options)

    monkeypatch.setattr(Path, real[step].__name__, refuse)
    with pytest.raises(UsageError, match="No space left"):
        RunFolder.create(tmp_path, FIRST)
    assert names(tmp_path) == []


def test_foreign_hidden_files_and_links_stay(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("x")
    out = tmp_path / "out"
    out.mkdir()
    (out / f".{FIRST}.partial").symlink_to(elsewhere)
    (out / ".notes.partial").mkdir()
    RunFolder.create(out, SECOND).abandon()
    assert names(out) == [f".{FIRST}.partial", ".notes.partial"]
    assert (elsewhere / "precious").exists()


# --- a folder that cannot be written


@contextmanager
def unprivileged():
    """Root may write anywhere: give that up for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_read_only_folder_is_a_usage_error(tmp_path):
    for folder in (tmp_path, *tmp_path.parents):
        if (
            folder.stat().st_uid == os.getuid()
            and folder != Path("/")
            and folder.name.startswith(("pytest", "test"))
        ):
            folder.chmod(0o755)
    tmp_path.chmod(0o555)
    with (
        unprivileged(),
        pytest.raises(UsageError, match=r"--out .*cannot be written there \(Permission denied"),
    ):
        RunFolder.create(tmp_path, FIRST)
    tmp_path.chmod(0o755)


def test_a_file_or_proc_is_a_usage_error(tmp_path):
    (tmp_path / "file").write_text("x")
    for out in (tmp_path / "file", tmp_path / "file" / "reports", Path("/proc/reports")):
        with pytest.raises(UsageError, match="cannot be written"):
            RunFolder.create(out, FIRST)


def test_a_folder_called_latest_is_found_before_the_run(tmp_path):
    (tmp_path / "latest").mkdir()
    with pytest.raises(UsageError, match="latest is a folder"):
        RunFolder.create(tmp_path, FIRST)
    assert names(tmp_path) == ["latest"]


# --- reading


GOOD = reject().model_dump_json().encode()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not JSON"),
        (GOOD[: len(GOOD) // 2], "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[]", "not a report"),
        (b'{"a": 1}', "not a report"),
        (b"[" * 100_000, "not JSON"),
        (GOOD.replace(b"89.7", b"NaN"), "not JSON"),
        (GOOD.replace(b'"seed":20261121', b'"seed":' + b"1" * 5000), "not JSON"),
        (GOOD.replace(b'"1.0"', b'"2.0"'), "schema_version"),
        (GOOD.replace(b'"1.0"', b"1.0"), "schema_version"),
        (GOOD.replace(b'"decision":"reject"', b'"decision":"maybe"'), "decision"),
        (GOOD.replace(b'"policy"', b'"polizei"'), "policy: required key is missing"),
        (GOOD.replace(b'"expected":5,', b'"expected":5.5,', 1), "checks.0.expected"),
        (GOOD.replace(b"breast-cancer", b"\\ud800", 1), "not JSON"),
    ],
    ids=range(14),
)
def test_what_is_not_a_report_is_a_config_error(tmp_path, data, problem):
    path = tmp_path / "run.json"
    path.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load_report(path)
    assert str(caught.value).startswith(str(path))
    assert problem in str(caught.value)
    assert len(str(caught.value)) < 2000


def test_missing_folders_pipes_and_giants_are_config_errors(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe.json")
    for path in (tmp_path / "none.json", tmp_path, tmp_path / "pipe.json"):
        with pytest.raises(ConfigError, match="no such report"):
            load_report(path)
    monkeypatch.setattr(store, "MOST_REPORT_BYTES", 100)
    (tmp_path / "big.json").write_bytes(GOOD)
    with pytest.raises(ConfigError, match="larger than any report"):
        load_report(tmp_path / "big.json")


@given(st.binary(max_size=60))
def test_any_damage_is_a_config_error_or_a_report(tmp_path_factory, junk):
    path = tmp_path_factory.mktemp("junk") / "run.json"
    path.write_bytes(GOOD[:200] + junk + GOOD[200 + len(junk) :])
    with suppress(ConfigError):
        assert load_report(path).schema_version == "1.0"


# --- evidence


def stored_with_evidence(tmp_path):
    folder = RunFolder.create(tmp_path, FIRST)
    write_evidence(folder)
    files = digests(folder.evidence, "golden.single")
    check = promote().checks[1].model_copy(update={"evidence_files": files})
    path = folder.commit(report(checks=(check,), run_id=FIRST))
    return load_report(path), evidence_folder(path)


def test_evidence_that_is_as_it_was_passes(tmp_path):
    of, folder = stored_with_evidence(tmp_path)
    assert list(of.checks[0].evidence_files) == ["golden.single/evidence.json"]
    verify_evidence(of, folder)


def test_changed_evidence_names_file_and_both_digests(tmp_path):
    of, folder = stored_with_evidence(tmp_path)
    file = folder / "golden.single" / "evidence.json"
    file.write_text("{} ")
    with pytest.raises(ConfigError) as caught:
        verify_evidence(of, folder)
    for part in (str(file), hashlib.sha256(b"{}").hexdigest(), hashlib.sha256(b"{} ").hexdigest()):
        assert part in str(caught.value)


def test_missing_evidence_is_named(tmp_path):
    of, folder = stored_with_evidence(tmp_path)
    (folder / "golden.single" / "evidence.json").unlink()
    with pytest.raises(ConfigError, match=r"evidence\.json: evidence is missing"):
        verify_evidence(of, folder)


@pytest.mark.parametrize("link", ["file", "folder"])
def test_linked_evidence_is_refused_though_its_bytes_agree(tmp_path, link):
    of, folder = stored_with_evidence(tmp_path)
    original = folder / "golden.single"
    if link == "folder":
        original.rename(tmp_path / "moved")
        original.symlink_to(tmp_path / "moved")
    else:
        (original / "evidence.json").rename(tmp_path / "moved")
        (original / "evidence.json").symlink_to(tmp_path / "moved")
    with pytest.raises(ConfigError, match="must be a plain file"):
        verify_evidence(of, folder)


@pytest.mark.parametrize("relative", ["../x", "/etc/passwd", "a/../../x", "", ".", "a\0b", "//etc/passwd"])
def test_evidence_outside_the_folder_is_refused(tmp_path, relative):
    check = promote().checks[0].model_copy(update={"evidence_files": {relative: "ab"}})
    with pytest.raises(ConfigError, match="outside the evidence folder"):
        verify_evidence(report(checks=(check,)), tmp_path)


def test_a_pipe_as_evidence_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    check = promote().checks[0].model_copy(update={"evidence_files": {"pipe": "ab"}})
    with pytest.raises(ConfigError, match="must be a plain file"):
        verify_evidence(report(checks=(check,)), tmp_path)
