"""The documents of a selftest: what is wrong comes first, and what is in them is shown and never acts."""

import json

import jsonschema
import pytest
from hypothesis import given
from pages import ROOT
from report_samples import HOSTILE
from selftest_samples import listed, matrices, trial

from harness.config.suite import parse_suite
from harness.errors import ConfigError, InfrastructureError
from harness.reports.json import ascii_json
from harness.selftest.document import LATEST, document_of, load_document, selftest_schema
from harness.selftest.matrix import matrix
from harness.selftest.model import Kind, Mode, Result
from harness.selftest.page import page
from harness.selftest.proxied import listed as listed_of_proxy
from harness.selftest.proxy import built_in_faults
from harness.selftest.publishing import publish
from harness.selftest.tables import EXTENDED, headline, markdown, mend_first, shares, tables

SUITE = """
schema_version = 1
name = "tiny"
[service]
port = 8000
ready_path = "/ready"
"""
ENTRIES = [
    listed("killed"),
    listed("survived"),
    listed("inactive"),
    listed("untried"),
    listed("fine", Kind.BENIGN),
]
TRIALS = {
    "killed": trial("killed"),
    "survived": trial("survived", Result.SURVIVED, why="it was promoted"),
    "inactive": trial("inactive", Result.INACTIVE),
    "fine": trial("fine", Result.PROMOTED, Kind.BENIGN),
}


def document(entries=ENTRIES, trials=TRIALS, **others):
    fields = {"digest": "0123456789abcdef", "inputs": {"tiny": ("golden/cases.jsonl",)}, "proxied": False}
    fields |= {"mode": Mode.QUICK, "seed": 0} | others
    return document_of(parse_suite(SUITE, ROOT / "gate.toml"), matrix(entries, trials), **fields)


def test_the_headline_leaves_nothing_out():
    assert headline(document()) == (
        "1 of 4 faults killed for the right reason, 0 of 1 benign change rejected, 1 not tried, "
        "1 not shown to be active"
    )


def test_what_more_than_the_suite_was_needed_for_is_marked():
    entries = [each.model_copy(update={"extended": each.name == "killed"}) for each in ENTRIES]
    of = document(entries)
    assert headline(of).startswith(
        "1 of 4 faults killed for the right reason, 1 of them by what their entries add to the suite, 0 of 1"
    )
    why = {row[0]: row[-1] for row in next(tables(of)).rows}
    assert (why["killed"], why["survived"]) == (EXTENDED, "it was promoted")
    for text, mark in ((page(of), "killed +<"), (markdown(of), EXTENDED)):
        assert text.count(mark) == 1
    assert EXTENDED in page(of)
    for text in (page(document()), markdown(document())):
        assert EXTENDED not in text
        assert "adds to" not in text


def test_of_what_came_out_otherwise_the_report_is_named():
    survived = trial("survived", Result.SURVIVED, why="it was promoted", report="runs/quick/survived/a.json")
    of = document(trials=TRIALS | {"survived": survived, "killed": trial("killed", report="runs/b.json")})
    whys = {row[0]: row[-1] for row in next(tables(of)).rows}
    assert whys["survived"] == "it was promoted; see runs/quick/survived/a.json"
    assert whys["killed"] == ""


def test_what_was_asked_more_than_once_is_told():
    """A kill at the third try is not one at the first."""
    assert "asked more than once" not in headline(document())
    later = trial("fine", Result.PROMOTED, Kind.BENIGN, earlier=1)
    again = {"killed": trial("killed", tries=3), "fine": later}
    of = document(trials=TRIALS | again)
    assert headline(of).endswith("2 asked more than once")
    whys = {row[0]: row[-1] for table in list(tables(of))[:2] for row in table.rows}
    assert whys["killed"] == "the gate was asked 3 times"
    assert whys["fine"] == "1 trial before left it open"


def test_the_page_of_the_proxys_faults_says_what_mistake_each_stands_for():
    fault = built_in_faults()[1]
    of = document([listed_of_proxy(fault)], {}, proxied=True)
    assert fault.mechanism in page(of)
    assert fault.mechanism in ascii_json(of)


def test_shares_have_their_bounds():
    detected, rejected = shares(document())
    assert detected == "Detection: 1 of 2 (50.0%), at least 2.5% with 95% confidence."
    assert rejected == "False rejects: 0 of 1 (0.0%), at most 95.0% with 95% confidence."
    assert shares(document(trials={}))[0] == "Detection: nothing was decided."


def test_what_went_wrong_comes_first():
    faults, benign, *_ = tables(document())
    assert [row[:2] for row in faults.rows] == [
        ("survived", "survived"),
        ("inactive", "inactive"),
        ("killed", "killed"),
        ("untried", "not tried"),
    ]
    assert benign.rows[0][:2] == ("fine", "promoted")


@pytest.mark.parametrize("result", [Result.FALSE_REJECT, Result.UNDECIDED, Result.ERROR])
def test_a_control_that_does_not_pass_comes_before_all(result):
    trials = TRIALS | {"fine": trial("fine", result, Kind.BENIGN, why="it failed: contract.served")}
    of = document(trials=trials, proxied=True)
    told = mend_first(of)
    assert told.startswith("Mend first:")
    assert "contract.served" in told
    assert [table.title for table in tables(of)][:2] == ["Benign changes", "Faults"]
    for text in (page(of), markdown(of)):
        assert text.index("Mend first") < text.index("Detection")
    assert not mend_first(document(trials=trials))


def test_a_control_that_passes_or_was_not_tried_says_nothing():
    assert not mend_first(document(proxied=True))
    assert not mend_first(document(proxied=True, trials={}))
    assert "Mend first" not in page(document(proxied=True))


def test_a_family_adds_up():
    by_family = next(table for table in tables(document()) if table.title == "By family")
    assert by_family.rows == (("golden", "4", "1", "3", "1", "1", "0"),)


def test_only_what_was_asked_for_is_listed_and_the_figures_are_of_all():
    first, *others = tables(document(), frozenset({"killed"}))
    assert [row[0] for row in first.rows] == ["killed"]
    assert [table.title for table in others] == ["By family", "By check"]


def test_page_and_markdown_show_every_entry_and_why():
    for text in (page(document()), markdown(document())):
        for part in (
            "killed",
            "survived",
            "inactive",
            "untried",
            "fine",
            "it was promoted",
            "0123456789abcdef",
        ):
            assert part in text


@pytest.mark.parametrize("render", [page, markdown])
def test_hostile_text_is_inert(render):
    failed = {HOSTILE: (HOSTILE,)}
    of = trial("killed", why=HOSTILE, proof=HOSTILE, failed=failed, expected=(HOSTILE,))
    text = render(document(trials={"killed": of}))
    for part in ("<script", "<img", "\x1b", "\u202e"):
        assert part not in text


@given(matrices())
def test_it_is_read_as_it_was_written_and_keeps_its_schema(made):
    of = document(*made)
    text = ascii_json(of)
    jsonschema.validate(json.loads(text), selftest_schema())
    assert of.model_validate_json(text) == of
    assert headline(of)
    assert page(of).startswith("<!doctype html>")
    assert markdown(of).startswith("## Selftest of tiny")


def test_it_is_published_whole_and_the_latest_leads_to_it(tmp_path):
    folder = tmp_path / "digest"
    folder.mkdir()
    for mode in Mode:
        path = publish(document(mode=mode), folder)
        assert load_document(tmp_path / LATEST).mode is mode
        assert (tmp_path / LATEST).samefile(path)
    names = [f"{mode.value}.{suffix}" for mode in Mode for suffix in ("html", "md", "json")]
    assert sorted(each.name for each in folder.iterdir()) == sorted(names)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["digest", LATEST]


def test_what_cannot_be_published_leaves_what_was_there(tmp_path):
    folder = tmp_path / "digest"
    folder.mkdir()
    publish(document(), folder)
    (tmp_path / LATEST).unlink()
    (tmp_path / LATEST).mkdir()
    (tmp_path / LATEST / "x").write_text("")
    with pytest.raises(InfrastructureError, match="could not be written"):
        publish(document(seed=1), folder)
    assert load_document(folder / "quick.json").seed == 1


def test_what_is_no_document_is_told(tmp_path):
    path = tmp_path / "x.json"
    with pytest.raises(ConfigError, match="cannot be read"):
        load_document(path)
    path.write_text("{}")
    with pytest.raises(ConfigError, match=r"x\.json: .*required key is missing"):
        load_document(path)
