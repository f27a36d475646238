"""The kill matrix in docs/verdict-quality.md is the stored one, of a whole catalogue; or there is none."""

import re
import sys
from pathlib import Path

import pytest
from selftest_samples import listed, trial

from benchmarks.kill_matrix.__main__ import GATE, PUBLISHED, main, objections, part_of_page, publish
from benchmarks.page import KILLS, PAGE
from benchmarks.verdict_quality.table import NOTHING_YET
from harness.config.suite import load_suite, parse_suite
from harness.reports.json import ascii_json
from harness.selftest.digests import catalogue_of
from harness.selftest.document import document_of, load_document
from harness.selftest.matrix import matrix
from harness.selftest.model import Kind, Mode, Result

SUITE = """
schema_version = 1
name = "tiny"
[service]
port = 8000
ready_path = "/ready"
"""
DIGEST = "0123456789abcdef"
EMPTY = f"# A page\n\n{KILLS.begin}{NOTHING_YET}{KILLS.end}\nIts end.\n"


def document(*, path="gate.toml", result=Result.SURVIVED, **others):
    """A matrix of two faults and a benign change; ``result`` is that of one of the faults."""
    entries = [listed("killed"), listed("other"), listed("fine", Kind.BENIGN)]
    trials = {
        "killed": trial("killed"),
        "fine": trial("fine", Result.PROMOTED, Kind.BENIGN),
        **({} if result is None else {"other": trial("other", result)}),
    }
    fields = {"digest": DIGEST, "inputs": {}, "proxied": False, "mode": Mode.QUICK, "seed": 0} | others
    return document_of(parse_suite(SUITE, Path(path)), matrix(entries, trials), **fields)


@pytest.fixture
def publishing(tmp_path):
    """Publishes a document into a page and a file beside it; gives what both then are."""

    def publishing(of, page=EMPTY):
        path, published, shown = (tmp_path / name for name in ("latest.json", "matrix.json", "page.md"))
        path.write_text(ascii_json(of))
        shown.write_text(page)
        try:
            publish(path, DIGEST, published, shown)
        finally:
            publishing.left = (shown.read_text(), published.read_bytes() if published.exists() else None)
        return path.read_bytes()

    return publishing


@pytest.mark.parametrize("result", [Result.KILLED, Result.SURVIVED, Result.WRONG_REASON, Result.UNDECIDED])
def test_a_matrix_is_published_whatever_the_gate_made_of_its_faults(publishing, result):
    of = document(result=result)
    made = publishing(of)
    page, published = publishing.left
    assert published == made
    assert KILLS.of(page) == part_of_page(of)
    assert page.startswith("# A page\n")
    assert page.endswith("\nIts end.\n")
    assert "\n### Selftest of tiny (quick): " in page


@pytest.mark.parametrize(
    ("others", "why"),
    [
        ({"proxied": True}, "of the proxy's faults"),
        ({"mode": Mode.FULL}, "it is full"),
        ({"digest": "fedcba9876543210"}, f"its digest is fedcba9876543210, now {DIGEST}"),
        ({"path": "gate.digits.toml"}, "of gate.digits.toml"),
        ({"result": None}, "not tried: other"),
        ({"result": Result.ERROR}, "error: other"),
        ({"result": Result.INACTIVE}, "inactive: other"),
    ],
)
def test_what_shows_less_than_the_catalogue_as_it_is_is_refused(publishing, others, why):
    of = document(**others)
    assert len(objections(of, DIGEST)) == 1
    with pytest.raises(ValueError, match=why):
        publishing(of)
    assert publishing.left == (EMPTY, None)


def test_a_page_without_its_place_is_told_before_anything_is_written(publishing):
    with pytest.raises(ValueError, match="no place"):
        publishing(document(), "# A page\n")
    assert publishing.left == ("# A page\n", None)


def test_the_command_publishes_the_latest_of_what_there_is_now(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["kill_matrix"])
    latest, page, published = Path("reports", "selftest", "latest.json"), Path("page.md"), Path("matrix.json")
    latest.parent.mkdir(parents=True)
    page.write_text(EMPTY)
    latest.write_text(ascii_json(document()))
    with pytest.raises(SystemExit, match="something was changed since") as refused:
        main(published, page)
    assert not published.exists()
    (now,) = re.findall(r"now (\w{16}):", str(refused.value))
    latest.write_text(ascii_json(document(digest=now)))
    main(published, page)
    assert published.read_bytes() == latest.read_bytes()
    assert KILLS.of(page.read_text()) == part_of_page(load_document(published))


def test_the_page_shows_the_stored_matrix_or_says_that_there_is_none():
    shown = KILLS.of(PAGE.read_text(encoding="utf-8"))
    if not PUBLISHED.exists():
        assert shown == NOTHING_YET
        return
    stored = load_document(PUBLISHED)
    assert shown == part_of_page(stored)
    assert objections(stored, stored.digest) == []
    entries = catalogue_of(load_suite(GATE)).entries
    assert {row.entry.name for row in stored.matrix.rows} == {entry.name for entry in entries}
