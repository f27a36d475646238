"""From findings and counts to a check's outcome."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from harness.checks.golden.settings import GoldenSettings
from harness.checks.interface import Evidence
from harness.config.policy import PolicySettings, Waiver
from harness.config.section import FamilySettings
from harness.judgement import asked_sha256, conclude
from harness.model import ErrorKind, Family, Finding, Outcome

ROOT = Path(__file__).resolve().parents[3]
TODAY = date(2026, 6, 1)


class Stated:
    """A judge that finds what it was told to."""

    id = "golden.stated"
    family = Family.GOLDEN

    def __init__(self, *findings):
        self.findings = findings

    def judge(self, _evidence, _limits):
        return self.findings


def finding(outcome, name="golden.stated.x", reproduce=""):
    return Finding(id=name, outcome=outcome, message="m", reproduce=reproduce)


def concluded(*findings, expected=2, executed=2, policy=None):
    return conclude(
        Stated(*findings),
        Evidence(expected=expected, executed=executed),
        FamilySettings(),
        policy or PolicySettings(),
        required=True,
        duration_s=1.0,
        today=TODAY,
        reproduce="harness run --only golden",
        evidence_files={},
    )


def test_what_a_finding_quotes_of_a_candidate_is_cut():
    long = "x" * 1_000_000
    told = Finding(id="golden.stated.x", outcome=Outcome.FAIL, message=long, observed=long, limit=3)
    (kept,) = concluded(told).findings
    assert kept.message == f"{'x' * 4000}… [996000 more characters]"
    assert kept.observed == kept.message
    assert kept.limit == 3


def test_enough_cases_and_passing_findings_pass():
    assert concluded(finding(Outcome.PASS)).outcome is Outcome.PASS


def test_fewer_cases_than_make_a_check_are_inconclusive():
    result = concluded(finding(Outcome.PASS), executed=1)
    assert result.outcome is Outcome.INCONCLUSIVE
    assert "1 of at least 2" in result.reason


@pytest.mark.parametrize(("expected", "executed", "findings"), [(2, 0, 1), (0, 0, 1), (0, 3, 1), (2, 2, 0)])
def test_nothing_checked_is_an_error(expected, executed, findings):
    found = [finding(Outcome.PASS, name=f"golden.stated.{index}") for index in range(findings)]
    result = concluded(*found, expected=expected, executed=executed)
    assert result.outcome is Outcome.ERROR
    assert result.error.kind is ErrorKind.NOTHING_CHECKED


def test_a_failure_stands_however_few_cases_ran():
    found = finding(Outcome.PASS), finding(Outcome.FAIL, name="golden.stated.y")
    assert concluded(*found, executed=0).outcome is Outcome.FAIL


def test_two_findings_of_one_id_are_an_error_of_the_harness():
    result = concluded(finding(Outcome.PASS), finding(Outcome.WARN))
    assert result.outcome is Outcome.ERROR
    assert result.error.kind is ErrorKind.HARNESS
    assert "golden.stated.x" in result.reason


@pytest.mark.parametrize(
    ("outcomes", "worst"),
    [
        ((Outcome.PASS, Outcome.WARN), Outcome.WARN),
        ((Outcome.WARN, Outcome.INCONCLUSIVE), Outcome.INCONCLUSIVE),
        ((Outcome.NOT_APPLICABLE, Outcome.PASS), Outcome.PASS),
        ((Outcome.NOT_APPLICABLE,), Outcome.NOT_APPLICABLE),
    ],
)
def test_the_worst_finding_is_the_outcome(outcomes, worst):
    found = [finding(outcome, name=f"golden.stated.{outcome}") for outcome in outcomes]
    assert concluded(*found).outcome is worst


def test_every_finding_has_the_run_s_command_and_its_own_after_it():
    result = concluded(
        finding(Outcome.PASS, "golden.stated.x"), finding(Outcome.PASS, "golden.stated.y", "curl x")
    )
    again = "harness run --only golden"
    assert result.findings[0].reproduce == again
    assert result.findings[1].reproduce.splitlines() == [
        again,
        "# or its requests alone, to a service that runs:",
        "curl x",
    ]


def waiving(expires, name="golden.stated.x"):
    waiver = Waiver(finding=name, owner="ana", reason="known", expires=expires)
    return PolicySettings(waivers=(waiver,))


def test_a_waiver_turns_its_failure_into_a_warning_that_names_it():
    result = concluded(finding(Outcome.FAIL), policy=waiving(TODAY))
    assert result.outcome is Outcome.WARN
    assert result.findings[0].waiver == "ana: known (until 2026-06-01)"


def test_an_expired_waiver_waives_nothing():
    assert concluded(finding(Outcome.FAIL), policy=waiving(date(2026, 5, 31))).outcome is Outcome.FAIL


def test_a_waiver_holds_for_its_own_finding_only():
    result = concluded(finding(Outcome.FAIL, name="golden.stated.y"), policy=waiving(TODAY))
    assert result.outcome is Outcome.FAIL


def test_the_digest_of_what_was_asked_leaves_limits_out():
    base = {
        "path": "g",
        "single": {"path": "/p", "body": "${input}"},
        "outputs": {"y": {"pointer": "/y", "dtype": "float32"}},
    }
    one = GoldenSettings.model_validate(base)
    looser = GoldenSettings.model_validate(base | {"limits": {"outputs": {"y": {"atol": 1.0}}}})
    other = GoldenSettings.model_validate(base | {"single": {"path": "/q", "body": "${input}"}})
    assert asked_sha256(one) == asked_sha256(looser) != asked_sha256(other)


def test_the_digest_is_the_same_in_every_process():
    code = """
from pathlib import Path
from harness.config.suite import load_suite
from harness.judgement import asked_sha256
config = load_suite(Path("gate.toml")).config
families = ("contract", "golden", "fuzz", "scenarios", "latency")
print([asked_sha256(getattr(config, name)) for name in families])
"""
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(digests) == 1
