import os
from pathlib import Path

import pytest

from harness.config.files import is_folder, plain_file, read_bounded
from harness.errors import ConfigError


def test_a_name_that_no_file_can_have_is_no_folder(tmp_path):
    assert is_folder(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    for name in ("registry.example/" + "a" * 400, "a\0b", tmp_path / "loop", tmp_path / "nothing"):
        assert not is_folder(name)


def test_only_files_are_plain(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    assert plain_file(tmp_path / "link").read_text() == "x"
    for name in ("pipe", ".", "nothing"):
        with pytest.raises(OSError, match=r"not a plain file|No such file"):
            plain_file(tmp_path / name)


def test_as_much_as_is_allowed_is_read_and_not_a_byte_more(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    assert read_bounded(file, 5, what="report") == b"12345"
    with pytest.raises(ConfigError, match=r"file: larger than any report \(4 bytes\)"):
        read_bounded(file, 4, what="report")


def test_what_has_no_end_is_not_read_to_it():
    with pytest.raises(ConfigError, match="larger than any report"):
        read_bounded(Path("/dev/zero"), 1000, what="report")


@pytest.mark.parametrize(("name", "why"), [("nothing", "No such file"), (".", "Is a directory")])
def test_what_cannot_be_read_says_why(tmp_path, name, why):
    with pytest.raises(ConfigError, match=why):
        read_bounded(tmp_path / name, 5, what="report")
