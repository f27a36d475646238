import subprocess
import sys
import tempfile

import pytest

from harness.owner import Owner
from harness.targets.scratch import OWNER_FILE, PREFIX, ScratchFolder, remove_orphan_folders


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


@pytest.mark.parametrize("owner", [None, "", "of another kind", "elsewhere|boot|1|2"])
def test_whose_owner_cannot_be_told_stays(temporary, owner):
    folder = temporary / f"{PREFIX}unknown"
    folder.mkdir()
    if owner is not None:
        (folder / OWNER_FILE).write_text(owner)
    assert remove_orphan_folders() == []
    assert folder.is_dir()
