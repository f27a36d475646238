"""``harness selftest`` without an engine: what it refuses, and the matrix of what is stored."""

import json
import subprocess
import sys

import pytest
from selftest_samples import HEALTHY, trial
from selftest_suites import NAMES, selftest_suite

from harness.cli.app import main
from harness.config.suite import load_suite
from harness.errors import ExitCode
from harness.model import Family
from harness.selftest.document import FOLDER, SelftestDocument
from harness.selftest.model import Kind, Mode, Result
from harness.selftest.subject import of_catalogue, of_proxy
from harness.selftest.trials import TrialStore


@pytest.fixture
def config(tmp_path):
    return selftest_suite(tmp_path / "suite")


@pytest.fixture
def store(config, tmp_path):
    """Stores a trial of each entry, with these results."""

    def store(*results, **others):
        digest = of_catalogue(load_suite(config)).digest
        trials = TrialStore(tmp_path / "reports" / FOLDER / digest)
        with trials.held():
            for name, result in zip(NAMES, results, strict=False):
                kind = Kind.BENIGN if name == "further_label" else Kind.FAULT
                trials.append(trial(name, result, kind, family=Family.GOLDEN, **others))

    return store


@pytest.fixture
def selftest(config, tmp_path, capsys, monkeypatch):
    """Runs the command in this process."""

    def run(*arguments):
        command = ["harness", "selftest", "--config", config, "--out", tmp_path / "reports", *arguments]
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", list(map(str, command)))
            with pytest.raises(SystemExit) as caught:
                main()
        written = capsys.readouterr()
        return subprocess.CompletedProcess(command, caught.value.code or 0, written.out, written.err)

    return run


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ((Result.KILLED, Result.KILLED, Result.PROMOTED), ExitCode.PROMOTE),
        ((Result.KILLED, Result.SURVIVED, Result.PROMOTED), ExitCode.REJECT),
        ((Result.KILLED, Result.KILLED, Result.FALSE_REJECT), ExitCode.REJECT),
        ((Result.KILLED, Result.INACTIVE, Result.PROMOTED), ExitCode.INCONCLUSIVE),
        ((Result.KILLED, Result.KILLED), ExitCode.INCONCLUSIVE),
        ((Result.KILLED, Result.ERROR, Result.PROMOTED), ExitCode.INFRASTRUCTURE),
    ],
)
def test_a_stored_matrix_has_the_exit_code_of_its_worst_result(selftest, store, results, code):
    store(*results)
    assert selftest("--report").returncode == code


def test_only_counts_what_was_asked_for(selftest, store):
    store(Result.KILLED, Result.SURVIVED, Result.PROMOTED)
    found = selftest("--report", "--only", "another_weight")
    assert found.returncode == ExitCode.PROMOTE
    assert "another_weight" in found.stdout
    assert "1 of 2 faults killed for the right reason, 0 of 1 benign change rejected." in found.stdout


def test_json_is_the_document_and_nothing_else(selftest, store):
    store(Result.KILLED, Result.SURVIVED)
    found = selftest("--report", "--json")
    document = SelftestDocument.model_validate_json(found.stdout)
    assert (document.suite, document.matrix.faults.survived, document.matrix.benign.untried) == (
        "plain-score",
        1,
        1,
    )
    assert json.loads(found.stdout)["schema_version"] == "1.0"


@pytest.mark.parametrize("others", [{"mode": Mode.FULL}, {"seed": 7}])
def test_trials_that_were_asked_for_otherwise_are_not_reported(selftest, store, others):
    store(Result.KILLED, **others)
    assert_nothing_was_tried(selftest("--report"))


def assert_nothing_was_tried(found):
    assert found.returncode == ExitCode.INCONCLUSIVE, found.stderr
    assert found.stdout.count("not tried") == len(NAMES) + 1
    assert (
        "0 of 2 faults killed for the right reason, 0 of 1 benign change rejected, 3 not tried"
        in found.stdout
    )


def test_a_report_before_the_first_trial_names_the_entries_and_writes_nothing(selftest, tmp_path):
    """As an `--only` that names none of them advises."""
    found = selftest("--report")
    assert_nothing_was_tried(found)
    assert [name for name in NAMES if name not in found.stdout] == []
    assert not (tmp_path / "reports").exists()


def test_trials_of_an_earlier_image_are_not_pooled_with_those_of_the_newest(selftest, store):
    store(Result.SURVIVED, Result.SURVIVED, Result.FALSE_REJECT)
    store(Result.KILLED, healthy=HEALTHY.replace("ab", "cd"))
    store(Result.KILLED, mode=Mode.FULL)
    found = selftest("--report", "--json")
    document = SelftestDocument.model_validate_json(found.stdout)
    results = {row.entry.name: row.result for row in document.matrix.rows}
    assert results == {NAMES[0]: Result.KILLED, NAMES[1]: None, NAMES[2]: None}
    assert found.returncode == ExitCode.INCONCLUSIVE


def test_a_changed_catalogue_has_no_trials_and_says_where_the_earlier_ones_are(
    selftest, store, config, tmp_path
):
    store(Result.KILLED)
    (earlier,) = (tmp_path / "reports" / FOLDER).iterdir()
    probe = config.parent / "catalogue" / "faults" / "another_weight" / "probe.py"
    probe.write_text(probe.read_text() + "\n")
    found = selftest("--report")
    assert_nothing_was_tried(found)
    assert "nothing is stored for the catalogue, suite and harness as they are now" in found.stderr
    assert f"of earlier ones: {earlier}" in found.stderr


def test_a_suite_without_a_catalogue_is_told(selftest, config):
    config.write_text(config.read_text().replace("[selftest]", "[service.variants.x.environment]"))
    found = selftest()
    assert found.returncode == ExitCode.USAGE
    assert "gate.toml: selftest: section is missing" in " ".join(found.stderr.split())


def test_a_catalogue_that_is_not_there_is_told(selftest, config):
    config.write_text(config.read_text().replace('"catalogue"', '"nowhere"'))
    found = selftest()
    assert found.returncode == ExitCode.USAGE
    assert "selftest.catalogue: no such file or folder" in found.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--only", "another_wieght"), "did you mean 'another_weight'?"),
        (("--candidate", "https://service.test"), "a URL runs already"),
        (("--report", "--candidate", "service:1"), "--candidate would do nothing"),
    ],
)
def test_what_cannot_be_is_refused(selftest, arguments, told):
    found = selftest(*arguments)
    assert found.returncode == ExitCode.USAGE
    assert told in found.stderr


def test_the_control_of_the_proxy_is_told_first_where_it_did_not_pass(selftest, config, tmp_path):
    digest = of_proxy(load_suite(config)).digest
    trials = TrialStore(tmp_path / "reports" / FOLDER / digest)
    with trials.held():
        failed = {"contract.openapi": ("contract.openapi.served",)}
        why = "it failed: contract.openapi.served"
        trials.append(trial("none", Result.FALSE_REJECT, Kind.BENIGN, family=None, failed=failed, why=why))
        trials.append(trial("numbers_biased"))
    found = selftest("--proxy", "--report", "--only", "numbers_biased")
    assert found.returncode == ExitCode.REJECT
    assert found.stdout.startswith("Mend first: ")
    assert why in found.stdout.partition("Faults")[0].replace("\n", " ")
    assert found.stdout.index("none") < found.stdout.index("numbers_biased")
