"""From stored evidence to the plots of a page; what cannot be drawn says why and costs nothing else."""

import json

import pytest
from drawn_run import FAMILIES, report, save_evidence

from harness.model import Outcome
from harness.reports.figures import drawing
from harness.reports.figures.drawing import draw
from harness.reports.store import RunFolder, evidence_folder, load_report
from harness.reports.table import render

TEXT = "</text></svg><script>alert(1)</script>\u202e"


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evidence")
    save_evidence(folder, TEXT)
    return folder


@pytest.fixture
def evidence(tmp_path):
    """Evidence that a test may damage."""
    save_evidence(tmp_path, "malignant")
    return tmp_path


def problems(figures):
    return {figure.checks: figure.problem for figure in figures if figure.problem}


def test_every_plot_is_drawn_of_what_is_stored(stored, drawn):
    figures = draw(report(stored, TEXT), stored)
    assert [figure.title for figure in figures] == [
        "Response times, latency.paired",
        "Latency over time, latency.paired",
        "Error of each golden output against its tolerance",
        "Predictions of label, drift.predictions",
    ]
    assert problems(figures) == {}
    for figure in figures:
        assert not any(element.tag == "script" for element in drawn(figure))


def test_without_evidence_every_plot_says_so(stored, tmp_path):
    found = problems(draw(report(stored, TEXT), tmp_path / "elsewhere"))
    assert set(found) == {(check_id,) for check_id in FAMILIES}
    assert all("evidence is missing" in why for why in found.values())


def test_changed_evidence_is_not_drawn_and_spares_the_other_plots(evidence):
    of = report(evidence, "x")
    (evidence / "golden.single" / "answers.jsonl").write_text("{}\n")
    figures = draw(of, evidence)
    assert list(problems(figures)) == [("golden.single",)]
    assert "changed since the run" in problems(figures)["golden.single",]
    assert len(figures) == 4


@pytest.mark.parametrize("damage", ["", "{}", "[1", '{"sides": []}'])
@pytest.mark.parametrize("check_id", FAMILIES)
def test_evidence_that_another_version_wrote_is_a_sentence(evidence, check_id, damage):
    (evidence / check_id / "evidence.json").write_text(damage)
    assert list(problems(draw(report(evidence, "x"), evidence))) == [(check_id,)]


def test_samples_that_are_no_archive_are_a_sentence(evidence):
    (evidence / "latency.paired" / "samples.npz").write_bytes(b"PK\x03\x04 no archive")
    assert list(problems(draw(report(evidence, "x"), evidence))) == [("latency.paired",)]


def test_more_evidence_than_is_drawn_is_a_sentence_that_says_what_draws_it(stored):
    found = problems(draw(report(stored, TEXT), stored, most_bytes=1000))
    assert len(found) == 3
    assert all("more than the 1000" in why for why in found.values())
    assert all("`harness report RUN.json --format html` draws" in why for why in found.values())


def test_a_drawing_that_fails_is_a_sentence(stored, monkeypatch):
    def broken(outputs):
        raise MemoryError(*outputs[:0])

    monkeypatch.setattr(drawing, "golden_errors", broken)
    figures = draw(report(stored, TEXT), stored)
    assert problems(figures) == {("golden.single",): "Not drawn: MemoryError."}
    assert len(figures) == 4


def test_a_check_without_evidence_says_its_outcome_unless_it_does_not_apply(stored):
    of = report(stored, TEXT)
    changes = {"evidence_files": {}, "outcome": Outcome.SKIP}
    skipped, single, drift = (check.model_copy(update=changes) for check in of.checks)
    drift = drift.model_copy(update={"outcome": Outcome.NOT_APPLICABLE})
    found = problems(draw(of.model_copy(update={"checks": (skipped, single, drift)}), stored))
    assert found["latency.paired",] == "latency.paired left no evidence: skip."
    assert set(found) == {("latency.paired",), ("golden.single",)}


@pytest.mark.parametrize("policy", ["", "not toml", "schema_version = 1"])
def test_a_policy_that_cannot_be_read_is_one_sentence(stored, policy):
    (only,) = draw(report(stored, TEXT, policy=policy), stored)
    assert "policy" in only.problem


def test_a_committed_run_and_a_stored_one_have_the_same_page(tmp_path):
    folder = RunFolder.create(tmp_path, "20261121T224017Z-4f2a9c81d0be-7c1e9a")
    save_evidence(folder.evidence, TEXT)
    of = report(folder.evidence, TEXT)
    path = folder.commit(of, draw(of, folder.evidence))
    written = path.with_suffix(".html").read_text()
    assert written == render("html", load_report(path), draw(load_report(path), evidence_folder(path)))
    assert written.count('role="img"') == 4
    assert json.loads(path.read_text())["decision"] == "reject"
