"""The digests of what a check reads: of all that may lie in its folders."""

import hashlib
import os
from pathlib import Path

import pytest

from harness.config.section import FamilySettings
from harness.config.suite import parse_suite
from harness.errors import ConfigError
from harness.inputs import input_digests
from harness.model import CheckResult, Family, Outcome, PolicyRecord

SUITE = 'schema_version = 1\nname = "s"\n[service]\nport = 1\nready_path = "/"\n'


class Reads:
    """A check that reads a folder."""

    def verify_inputs(self, suite, _settings):
        suite.resolve("golden", key="golden.path")


@pytest.fixture
def suite(tmp_path):
    (tmp_path / "golden").mkdir()
    (tmp_path / "golden" / "cases.jsonl").write_text("x")
    return parse_suite(SUITE, tmp_path / "gate.toml")


def test_files_count_and_nothing_else(suite):
    folder = suite.folder / "golden"
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to("loop")
    (folder / "folder").mkdir()
    found = input_digests(Reads(), suite, FamilySettings())
    assert found == {"golden/cases.jsonl": hashlib.sha256(b"x").hexdigest()}


def test_a_file_that_cannot_be_read_is_named(suite, monkeypatch):
    def refuse(self, *_args, **_options):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ConfigError, match=r"cases\.jsonl: cannot be read \(Permission denied"):
        input_digests(Reads(), suite, FamilySettings())


def test_a_name_that_is_no_unicode_can_be_reported(suite):
    (suite.folder / "golden" / os.fsdecode(b"\xff.txt")).write_text("x")
    found = input_digests(Reads(), suite, FamilySettings())
    result = CheckResult(
        id="golden.single",
        family=Family.GOLDEN,
        required=True,
        outcome=Outcome.PASS,
        expected=1,
        executed=1,
        duration_s=0.0,
        inputs=found,
    )
    assert "\\udcff.txt" in CheckResult.model_validate_json(result.model_dump_json()).inputs.popitem()[0]
    policy = PolicyRecord(path=os.fsdecode(b"\xff.toml"), sha256="", content="")
    assert PolicyRecord.model_validate_json(policy.model_dump_json()).path == "\\udcff.toml"
