"""The suite of a service that is not ours: its golden set is reproducible, and the service lives up to it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.checks.golden.batch import GoldenBatch
from harness.checks.golden.golden_set import load_golden_set
from harness.checks.golden.single import GoldenSingle
from harness.checks.interface import CheckContext
from harness.config.suite import load_suite
from harness.credentials import Credentials
from harness.model import Outcome, Scope, TargetDescription

PLAIN = Path(__file__).resolve().parents[3] / "suites" / "plain"


@pytest.fixture(scope="module")
def suite():
    return load_suite(PLAIN / "gate.toml")


def test_the_script_writes_the_committed_bytes(tmp_path):
    copy = shutil.copytree(PLAIN, tmp_path / "plain")
    for file in (copy / "golden").iterdir():
        file.unlink()
    subprocess.run([sys.executable, copy / "make_golden.py"], check=True)
    for file in (PLAIN / "golden").iterdir():
        assert (copy / "golden" / file.name).read_bytes() == file.read_bytes()


def test_the_set_names_its_producer_and_has_both_classes(suite):
    golden = load_golden_set(suite, suite.config.golden)
    assert golden.header.producer.kind == "script"
    assert len(golden.cases) == golden.header.cases.count == 200
    assert {case.expected["class"] for case in golden.cases} == {0, 1}


class Served:
    """The plain service as a process on a loopback port."""

    def __init__(self, credentials, folder):
        tokens = folder / "tokens.json"
        digest = credentials.template_values()["key.default.sha256"]
        tokens.write_text(json.dumps({"tokens": [{"sha256": digest, "requests": 1_000_000, "window_s": 1}]}))
        environment = {"SCORE_TOKENS_FILE": str(tokens), "SCORE_HOST": "127.0.0.1", "SCORE_PORT": "0"}
        self.process = subprocess.Popen(
            [sys.executable, PLAIN / "service.py"],
            env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.description = TargetDescription(kind=Scope.PROCESS)

    def __enter__(self):
        port = re.search(r"port (\d+)", self.process.stdout.readline())[1]
        self.base_url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *exc):
        self.process.terminate()
        status = self.process.wait(timeout=10)
        self.process.stdout.close()
        assert status == 0

    def alive(self):
        return self.process.poll() is None

    def logs(self):
        return ""


@pytest.mark.parametrize("check", [GoldenSingle(), GoldenBatch()], ids=lambda check: check.id)
def test_the_service_gives_the_golden_answers(suite, tmp_path, check):
    credentials = Credentials(suite.config.auth, {})
    with Served(credentials, tmp_path) as service:
        context = CheckContext(
            candidate=service,
            reference=None,
            suite=suite,
            credentials=credentials,
            seed=0,
            folder=tmp_path,
            generator_cpus=None,
        )
        evidence = check.collect(context, suite.config.golden)
    assert (evidence.expected, evidence.executed) == (200, 200)
    findings = check.judge(evidence, suite.config.golden.limits)
    assert {finding.id: finding.outcome for finding in findings if finding.outcome is not Outcome.PASS} == {}
