"""Reports of which an attestation can be made: whole runs of a container whose image a registry has."""

from pathlib import Path

from harness.config.suite import parse_suite
from harness.model import (
    CheckResult,
    Decision,
    Environment,
    Family,
    Finding,
    Outcome,
    PolicyRecord,
    Report,
    Scope,
    TargetDescription,
)
from harness.rejudge import expected_of

DIGEST = "5e" * 32
IMAGE = f"registry.example/team/service@sha256:{DIGEST}"
POLICY = """
schema_version = 1
name = "tiny"

[service]
port = 8080
ready_path = "/ready"

[policy]
required = ["golden"]

[golden]
path = "golden"
single = { path = "/predict", body = { x = "${input}" } }
batch = { path = "/batch", body = { xs = "${inputs}" }, items = "/ys" }

[golden.outputs.y]
pointer = "/y"
dtype = "int64"
"""
SUITE = parse_suite(POLICY, Path("gate.toml"))
INPUTS = {"golden/golden.toml": "ab" * 32, "golden/cases.jsonl": "cd" * 32}


def a_report(*checks: CheckResult, **fields) -> Report:
    """A promote, its checks replaced by those given of the same id, and its fields by those given."""
    whole = Report(
        **{
            "run_id": "20261121T224017Z-5e5e5e5e5e5e-7c1e9a",
            "started_at": "2026-11-21T22:40:17.204+00:00",
            "finished_at": "2026-11-21T22:41:46.911+00:00",
            "duration_s": 89.7,
            "decision": Decision.PROMOTE,
            "reasons": (),
            "scope": Scope.CONTAINER,
            "partial": False,
            "suite": "tiny",
            "candidate": TargetDescription(
                kind=Scope.CONTAINER, image=IMAGE, image_id="sha256:" + "1f" * 32, repo_digest=IMAGE
            ),
            "reference": None,
            "policy": PolicyRecord(path="suites/gate.toml", sha256=SUITE.sha256, content=SUITE.text),
            "seed": 7,
            "harness_version": "0.1.0",
            "environment": Environment(
                cpu="", cores=2, memory_bytes=1, kernel="", engine="", python="", packages={}
            ),
            "validity": {},
            "order": (),
            "checks": (),
            **fields,
        }
    )
    ids = [expected.check_id for expected in expected_of(whole, SUITE)]
    given = {check.id: check for check in checks}
    results = [given.pop(check_id, None) or a_check(check_id) for check_id in ids]
    return whole.model_copy(update={"checks": (*results, *given.values())})


def a_check(check_id: str = "golden.single", outcome: Outcome = Outcome.PASS, **fields) -> CheckResult:
    """A result with one finding of the same outcome."""
    family = Family(check_id.partition(".")[0])
    return CheckResult(
        id=check_id,
        **{
            "family": family,
            "required": family is Family.GOLDEN,
            "outcome": outcome,
            "expected": 12,
            "executed": 12,
            "duration_s": 0.1,
            "findings": (Finding(id=f"{check_id}.y", outcome=outcome, message="seen"),),
            "inputs": INPUTS,
            **fields,
        },
    )


def a_waived_check() -> CheckResult:
    """A check whose failure the policy waives."""
    finding = Finding(id="golden.single.y", outcome=Outcome.WARN, message="off", waiver="ann: known")
    return a_check(outcome=Outcome.WARN, findings=(finding,))
