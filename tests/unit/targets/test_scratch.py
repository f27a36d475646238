import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from harness.cli.signals import interruptible
from harness.errors import InfrastructureError, Interrupted
from harness.owner import Owner
from harness.targets.scratch import NAMELESS_S, OWNER_FILE, PREFIX, ScratchFolder, remove_orphan_folders


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def of_a_dead_process(folder):
    text = subprocess.run(
        [sys.executable, "-c", "from harness.owner import Owner; print(Owner.current())"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    assert Owner.parse(text).is_gone()
    (folder / OWNER_FILE).write_text(text)


def test_only_this_user_can_enter_it_and_it_goes_with_all_in_it(temporary):
    with ScratchFolder() as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text("secret")
    assert list(temporary.iterdir()) == []


def test_what_a_dead_process_left_is_removed_and_named(temporary):
    dead = temporary / f"{PREFIX}dead"
    dead.mkdir()
    of_a_dead_process(dead)
    assert remove_orphan_folders() == [dead.name]
    assert not dead.exists()


def test_what_a_living_process_uses_stays(temporary):
    with ScratchFolder() as folder:
        assert remove_orphan_folders() == []
        assert folder.is_dir()
    assert list(temporary.iterdir()) == []


def test_what_was_killed_before_it_had_an_owner_is_removed_after_an_hour(temporary):
    for name in ("old", "new", "full"):
        (temporary / f"{PREFIX}{name}").mkdir()
    (temporary / f"{PREFIX}full" / "file").write_text("not ours to remove")
    for name in ("old", "full"):
        os.utime(temporary / f"{PREFIX}{name}", (0, time.time() - NAMELESS_S - 60))
    assert remove_orphan_folders() == [f"{PREFIX}old"]
    assert sorted(path.name for path in temporary.iterdir()) == [f"{PREFIX}full", f"{PREFIX}new"]


def test_a_signal_while_it_is_made_leaves_nothing(temporary, monkeypatch):
    real = tempfile.mkdtemp

    def interrupted(**options):
        made = real(**options)
        os.kill(os.getpid(), signal.SIGTERM)
        return made

    monkeypatch.setattr(tempfile, "mkdtemp", interrupted)
    with pytest.raises(Interrupted), interruptible(), ScratchFolder():
        raise AssertionError("it was entered")
    assert list(temporary.iterdir()) == []


def test_a_full_disk_is_infrastructure_and_leaves_nothing(temporary, monkeypatch):
    def full(*_args, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InfrastructureError, match="No space left"), ScratchFolder():
        raise AssertionError("it was entered")
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("owner", [None, "", "of another kind", "elsewhere|boot|1|2"])
def test_whose_owner_cannot_be_told_stays(temporary, owner):
    folder = temporary / f"{PREFIX}unknown"
    folder.mkdir()
    if owner is not None:
        (folder / OWNER_FILE).write_text(owner)
    assert remove_orphan_folders() == []
    assert folder.is_dir()
