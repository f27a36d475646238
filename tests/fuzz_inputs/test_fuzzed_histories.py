"""A folder of reports with anything in it: what is no report is left out by name, and the rest is told."""

import contextlib
import io
import json
import os
import tempfile
from collections import Counter
from pathlib import Path

import figures
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from report_samples import inconclusive, looser, promote, reject

from harness.cli.history import history
from harness.errors import ExitCode, UsageError
from harness.history.promoted import with_last_promote

EXAMPLES = 320 if settings().max_examples > 50 else 12
SAMPLES = [each.model_dump_json().encode() for each in (promote(), reject(), inconclusive(), looser())]


def _write(content):
    return lambda path: path.write_bytes(content)


def _run_of_its_name(content):
    def make(path):
        document = json.loads(content) | {"run_id": path.stem}
        path.write_text(json.dumps(document))

    return make


KINDS = {
    **{f"run {number}": _run_of_its_name(content) for number, content in enumerate(SAMPLES)},
    "the same run": _write(SAMPLES[0]),
    "cut": _write(SAMPLES[1][:500]),
    "empty": _write(b""),
    "no report": _write(b"[]"),
    "deep": _write(b"[" * 100_000),
    "of the future": _write(SAMPLES[0].replace(b"2026-", b"9999-")),
    "at the end of days": _write(SAMPLES[0].replace(b"2026-11-21T", b"0001-01-01T")),
    "a folder": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "a loop": lambda path: path.symlink_to(path.name),
    "a dangling link": lambda path: path.symlink_to("nowhere"),
}
names = st.one_of(
    st.integers(0, 59).map(lambda second: f"20261121T2240{second:02d}Z-4f2a9c81d0be-7c1e9a".encode()),
    st.sampled_from(
        [b"\xff\xfe", b"\x1b[31m", b"::error::x", b"-", b".hidden", "ü\u202e".encode(), b"n" * 250]
    ),
)
folders = st.dictionaries(names, st.sampled_from(sorted(KINDS)), max_size=6)
OPTIONS = ({}, {"as_json": True}, {"last_promoted": True}, {"last_promoted": True, "as_json": True})


def told(folder, options):
    """How ``harness history`` ends, in this process."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
            history(folder, **options)
    except (typer.Exit, UsageError) as error:
        return int(error.exit_code)
    if options.get("as_json"):
        json.loads(said.getvalue())
    return 0


def test_any_folder_is_a_history(record_property):
    seen = Counter()

    @settings(max_examples=EXAMPLES)
    @given(folders, st.sampled_from(range(len(OPTIONS))))
    def holds(entries, number):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            for name, kind in entries.items():
                KINDS[kind](folder / os.fsdecode(name + b".json"))
            code = told(folder, OPTIONS[number])
            assert code in {0, ExitCode.USAGE, ExitCode.REJECT}
            assert with_last_promote(promote(), folder).run_id == promote().run_id
            seen[code] += 1

    holds()
    ended = Counter({f"exit {int(code)}": times for code, times in seen.items()})
    record_property("figures", figures.told("a folder of anything as history", ended, tried=seen.total()))


@pytest.mark.parametrize("options", OPTIONS)
def test_what_is_no_folder_is_a_usage_error(tmp_path, options):
    (tmp_path / "file").write_text("x")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("file", "loop", "nowhere", "n" * 300):
        assert told(tmp_path / name, options) == ExitCode.USAGE
