"""The whole way on the smallest real suite: images are built, proven and gated, and the results kept."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from local_processes import descendants, kill
from selftest_suites import NAMES, selftest_suite

from harness.errors import ExitCode
from harness.model import Decision
from harness.selftest.document import FOLDER, LATEST, SelftestDocument, load_document
from harness.selftest.model import Result
from harness.selftest.overlay import REPOSITORY

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("remove_images")]

WEIGHT, HEADER, LABEL = NAMES
AS_PLANNED = {WEIGHT: Result.KILLED, HEADER: Result.SURVIVED, LABEL: Result.PROMOTED}


@pytest.fixture
def config(tmp_path):
    return selftest_suite(tmp_path / "suite")


@pytest.fixture
def selftest(run_harness, config, plain_image, tmp_path):
    """Runs the command to its end."""

    def run(*arguments):
        command = ["selftest", "--config", config, "--out", tmp_path / "reports", *arguments]
        if "--report" not in arguments:
            command += ["--candidate", plain_image]
        return run_harness(*command, cwd=tmp_path, timeout=300)

    return run


@pytest.fixture
def remove_images(engine):
    """What came out otherwise than it should is kept; not beyond the test."""
    yield
    for tag in kept_images(engine):
        engine.images.remove(tag)


def kept_images(engine):
    tags = [tag for image in engine.images.list(REPOSITORY) for tag in image.tags]
    return [tag for tag in tags if any(name in tag for name in NAMES)]


def results(document):
    return {row.entry.name: row.result for row in document.matrix.rows}


def test_a_kill_a_survivor_and_a_benign_change(selftest, tmp_path, run_gate, config, plain_image):
    first = selftest("--jobs", "2", "--json")
    assert first.returncode == ExitCode.REJECT, first.stderr
    document = SelftestDocument.model_validate_json(first.stdout)
    assert results(document) == AS_PLANNED, first.stderr
    assert load_document(tmp_path / "reports" / FOLDER / LATEST) == document
    trials = {row.entry.name: row.trial for row in document.matrix.rows}
    assert set(trials[WEIGHT].failed) == {"golden.single", "golden.batch"}
    assert trials[HEADER].why == "it was promoted"
    folder = tmp_path / "reports" / FOLDER / document.digest
    for trial in trials.values():
        report = json.loads((folder / trial.report).read_text())
        assert trial.verdict_s == report["duration_s"]
        assert report["selftest"] is None
        assert report["partial"] == (trial.name != LABEL)

    # Nothing is tried again, and what a gate then reports stands on it.
    lines = (folder / "trials.jsonl").read_bytes()
    again = selftest("--only", "golden")
    assert again.returncode == ExitCode.REJECT
    assert "3 of 3 were tried before" in again.stderr
    assert (folder / "trials.jsonl").read_bytes() == lines
    assert selftest("--only", WEIGHT, "--only", LABEL, "--report").returncode == ExitCode.PROMOTE
    report, _ = run_gate(config, plain_image, out=tmp_path / "reports")
    assert report.decision is Decision.PROMOTE
    shares = (report.selftest.detection, report.selftest.false_rejects)
    assert [(share.hits, share.samples) for share in shares] == [(1, 2), (0, 1)]
    assert not report.selftest.stale


def test_what_is_not_there_is_not_gated(selftest, config, tmp_path):
    without_effect(config, HEADER)
    found = selftest("--only", HEADER, "--json")
    assert found.returncode == ExitCode.INCONCLUSIVE, found.stderr
    document = SelftestDocument.model_validate_json(found.stdout)
    assert results(document)[HEADER] is Result.INACTIVE
    assert list((tmp_path / "reports" / FOLDER / document.digest).glob("runs/*/*/*.json")) == []


def without_effect(config, name):
    fault = config.parent / "catalogue" / "faults" / name / "fault.py"
    fault.write_text("import service\n\nservice.main()\n")


@pytest.mark.slow
def test_what_cannot_be_proven_is_not_gated(selftest, config, tmp_path):
    catalogue = config.parent / "catalogue"
    without_effect(config, HEADER)
    (catalogue / "benign" / LABEL / "probe.py").unlink()
    (catalogue / "faults" / WEIGHT / "probe.py").write_text("raise SystemExit(2)\n")
    found = selftest("--jobs", "3", "--json")
    assert found.returncode == ExitCode.INFRASTRUCTURE, found.stderr
    document = SelftestDocument.model_validate_json(found.stdout)
    assert results(document) == {WEIGHT: Result.ERROR, HEADER: Result.INACTIVE, LABEL: Result.INACTIVE}
    assert list((tmp_path / "reports" / FOLDER / document.digest).glob("runs/*/*/*.json")) == []
    trials = {row.entry.name: row.trial for row in document.matrix.rows}
    assert trials[HEADER].why == "the header is not there, or on the healthy one too"
    assert trials[LABEL].why == f"nobody wrote {LABEL}/probe.py"
    assert trials[WEIGHT].why == "the probe ended with 2: no reason"


@pytest.mark.slow
def test_faults_of_the_proxy_need_no_catalogue(selftest, config):
    config.write_text(config.read_text().partition("[selftest]")[0])
    found = selftest("--proxy", "--only", "none", "--only", "numbers_biased", "--jobs", "2", "--json")
    assert found.returncode == ExitCode.PROMOTE, found.stderr
    document = SelftestDocument.model_validate_json(found.stdout)
    assert document.proxied
    trials = {row.entry.name: row.trial for row in document.matrix.rows if row.trial}
    assert {name: each.result for name, each in trials.items()} == {
        "none": Result.PROMOTED,
        "numbers_biased": Result.KILLED,
    }
    assert "golden.single" in trials["numbers_biased"].expected
    assert document.matrix.faults.untried == document.matrix.faults.of - 1


@pytest.mark.slow
def test_what_fails_behind_the_control_is_no_kill(selftest, config):
    """The suite expects a document that the service does not serve, and one that no fault changes."""
    text = config.read_text().partition("[selftest]")[0]
    config.write_text(text.replace('served = "/spec.json"', 'served = "/nowhere.json"'))
    found = selftest("--proxy", "--only", "numbers_biased", "--only", "member_added", "--jobs", "2", "--json")
    assert found.returncode == ExitCode.REJECT, found.stderr
    trials = {
        row.entry.name: row.trial for row in SelftestDocument.model_validate_json(found.stdout).matrix.rows
    }
    control = trials["none"]
    assert control.result is Result.FALSE_REJECT
    assert control.failed
    for name in ("numbers_biased", "member_added"):
        assert trials[name].result is Result.KILLED, trials[name].why
        assert not {*trials[name].failed.items()} & {*control.failed.items()}
        assert control.finished_at <= trials[name].finished_at
    assert "contract.openapi" not in trials["numbers_biased"].failed


@pytest.fixture
def running(config, plain_image, tmp_path):
    """Starts the command; whatever still runs at the end of the test is killed."""
    started = []

    def start(*arguments):
        log = tmp_path / "log"
        command = (sys.executable, "-m", "harness", "selftest", "--config", config)
        command += ("--candidate", plain_image, "--out", tmp_path / "reports", *arguments)
        with log.open("w") as stderr:
            process = subprocess.Popen(command, stderr=stderr, stdout=subprocess.DEVNULL, cwd=tmp_path)
        started.append(process)
        return process, log

    yield start
    for process in started:
        for pid in descendants(process.pid):
            os.kill(pid, signal.SIGKILL)
        kill(process)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_no_container_and_no_image(running, left_behind, tmp_path, engine, number):
    process, log = running("--jobs", "2")
    deadline, own, up = time.monotonic() + 90, set(), []
    while not up and time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        own |= descendants(process.pid)
        up = [name for pid in own for name in left_behind(pid=pid)]
        time.sleep(0.1)
    assert up, log.read_text()
    process.send_signal(number)
    assert process.wait(90) == ExitCode.INTERRUPTED
    assert "everything that was started has been removed" in log.read_text()
    assert [name for pid in own for name in left_behind(pid=pid)] == []
    assert kept_images(engine) == []
    assert list((tmp_path / "reports" / FOLDER).glob("*/trials.jsonl")) == []
