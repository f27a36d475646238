"""A report names the selftest beside it, and says when that was of something else; its verdict stays."""

import shutil

import pytest
import report_samples
from selftest_samples import listed, trial
from selftest_suites import NAMES, PLAIN, selftest_suite

from harness import __version__
from harness.config.suite import load_suite
from harness.model import PolicyRecord
from harness.selftest.document import FOLDER, LATEST, document_of
from harness.selftest.matrix import matrix
from harness.selftest.model import Kind, Mode, Result
from harness.selftest.publishing import publish
from harness.selftest.standing import held_against, with_selftest
from harness.selftest.subject import of_catalogue, of_proxy

ENTRIES = [
    *(listed(name) for name in "abc"),
    listed("x").model_copy(update={"extended": True}),
    *(listed(name, Kind.BENIGN) for name in "de"),
]
TRIALS = {
    "a": trial("a"),
    "b": trial("b", Result.INACTIVE),
    "c": trial("c", Result.UNDECIDED),
    "x": trial("x"),
    "d": trial("d", Result.FALSE_REJECT, Kind.BENIGN, finished_at="2026-11-22T11:00:00+00:00"),
}
ERRORS = {entry.name: trial(entry.name, Result.ERROR, entry.kind) for entry in ENTRIES}
CHANGED = "was changed since"


@pytest.fixture
def config(tmp_path):
    return selftest_suite(tmp_path / "suite")


@pytest.fixture
def suite(config):
    return load_suite(config)


@pytest.fixture
def selftested(tmp_path, suite):
    """Stores a selftest in a folder of reports, which it gives."""

    def selftested(of, trials=TRIALS, digest=None, **others):
        digest = digest or of.digest
        folder = tmp_path / "reports" / FOLDER / digest
        folder.mkdir(parents=True)
        fields = {
            "inputs": of.inputs,
            "proxied": of.catalogue is None,
            "mode": Mode.QUICK,
            "seed": 0,
        } | others
        publish(document_of(suite, matrix(ENTRIES, trials), digest=digest, **fields), folder)
        return tmp_path / "reports"

    return selftested


@pytest.fixture
def out(selftested, suite):
    """A folder of reports with a selftest of what there is now."""
    return selftested(of_catalogue(suite))


@pytest.fixture
def of_suite(suite):
    """A report of the suite, by this version of harness."""
    return report_samples.report(
        suite=suite.config.name,
        harness_version=__version__,
        policy=PolicyRecord(path=str(suite.path), sha256=suite.sha256, content=suite.text),
    )


def test_it_names_the_selftest_and_its_figures(out, of_suite, suite):
    record = with_selftest(of_suite, out).selftest
    assert record.digest == record.digest_at_run == of_catalogue(suite).digest
    assert record.path == f"selftest/{record.digest}/quick.json"
    assert (out / record.path).samefile(out / FOLDER / LATEST)
    assert (record.finished_at, record.mode) == ("2026-11-22T11:00:00+00:00", "quick")
    found = matrix(ENTRIES, TRIALS)
    assert (record.detection, record.false_rejects) == (found.detection, found.false_rejects)
    assert (record.detection.hits, record.detection.samples, record.killed_extended) == (2, 3, 1)
    assert (record.false_rejects.hits, record.false_rejects.samples) == (1, 1)
    assert (record.faults, record.benign) == (4, 2)
    assert (record.undecided, record.inactive, record.error, record.untried) == (1, 1, 0, 1)
    assert not record.stale


def test_one_that_ended_in_errors_shows_nothing(selftested, of_suite, suite):
    record = with_selftest(of_suite, selftested(of_catalogue(suite), ERRORS, mode=Mode.FULL)).selftest
    assert (record.error, record.mode) == (len(ENTRIES), "full")
    assert record.detection.seen is record.false_rejects.seen is None


def test_the_verdict_stays_as_it_is(out, of_suite):
    named = with_selftest(of_suite, out)
    assert named.model_copy(update={"selftest": None}) == of_suite


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"suite": "digits"}, "another suite, plain-score"),
        ({"policy": report_samples.policy("[golden]\n")}, "plain-score with another gate.toml"),
        ({"harness_version": "0.0.1"}, "another version of harness"),
    ],
)
def test_one_of_something_else_is_named_as_such(out, of_suite, changed, why):
    other = of_suite.model_copy(update=changed)
    named = with_selftest(other, out)
    assert why in named.selftest.stale
    assert named.decision is of_suite.decision


def test_another_policy_for_a_stored_run_makes_it_stale(out, of_suite):
    named = with_selftest(of_suite, out)
    judged = named.model_copy(update={"policy": report_samples.policy("[golden]\n")})
    assert "another gate.toml" in held_against(judged).selftest.stale
    assert held_against(named) == named


def test_another_entry_makes_it_stale(out, of_suite, config):
    probe = config.parent / "catalogue" / "faults" / NAMES[0] / "probe.py"
    probe.write_text(f"{probe.read_text()}\n")
    assert CHANGED in with_selftest(of_suite, out).selftest.stale


def test_another_golden_file_makes_it_stale_and_a_stored_run_stays_so(out, of_suite, config):
    golden = config.parent / "golden"
    golden.unlink()
    shutil.copytree(PLAIN / "golden", golden)
    assert not with_selftest(of_suite, out).selftest.stale
    cases = golden / "cases.jsonl"
    text = cases.read_text()
    cases.write_text(f"{text}\n")
    named = with_selftest(of_suite, out)
    assert CHANGED in named.selftest.stale
    cases.unlink()
    assert CHANGED in with_selftest(of_suite, out).selftest.stale
    cases.write_text(text)
    assert not with_selftest(of_suite, out).selftest.stale
    assert held_against(named) == named


def test_other_code_of_harness_makes_it_stale(selftested, of_suite, suite):
    """What its digest was then, nobody knows; that of now it was not."""
    out = selftested(of_catalogue(suite), digest="0123456789abcdef")
    assert CHANGED in with_selftest(of_suite, out).selftest.stale


def test_one_by_the_proxy_is_held_against_the_faults_of_the_proxy(selftested, of_suite, suite, config):
    shutil.rmtree(config.parent / "catalogue")
    of = of_proxy(suite)
    assert not with_selftest(of_suite, selftested(of)).selftest.stale
    assert CHANGED in with_selftest(of_suite, selftested(of, digest="0123456789abcdef")).selftest.stale


def test_a_catalogue_that_cannot_be_read_is_told_and_costs_no_report(out, of_suite, config):
    (config.parent / "catalogue" / "faults" / NAMES[0] / "fault.toml").write_text("[")
    assert with_selftest(of_suite, out).selftest.stale.endswith("could not be told")
    shutil.rmtree(config.parent / "catalogue")
    assert with_selftest(of_suite, out).selftest.stale.endswith("could not be told")


def test_where_there_is_none_nothing_is_named(tmp_path, of_suite):
    assert with_selftest(of_suite, tmp_path) == of_suite
    assert held_against(of_suite) == of_suite


@pytest.mark.parametrize("content", ["", "{}", "[]", "{", '{"schema_version": "9"}', "\ud800"])
def test_one_that_cannot_be_read_is_passed_over(out, of_suite, content):
    (out / FOLDER / LATEST).write_bytes(content.encode("utf-8", "surrogatepass"))
    assert with_selftest(of_suite, out) == of_suite


def test_one_that_leads_nowhere_is_passed_over(out, of_suite):
    latest = out / FOLDER / LATEST
    latest.unlink()
    latest.symlink_to(latest.name)
    assert with_selftest(of_suite, out) == of_suite
    latest.unlink()
    latest.mkdir()
    assert with_selftest(of_suite, out) == of_suite
