"""A stored run with evidence to draw: latency, golden and drift, of a candidate that may be hostile."""

from pathlib import Path

import golden_evidence
import load_evidence

from harness.checks.drift.evidence import Answered, Compared, DriftEvidence
from harness.checks.drift.settings import PredictionSettings
from harness.evidence_files import digests
from harness.model import (
    CheckResult,
    Decision,
    Environment,
    Family,
    Finding,
    ModelIdentity,
    Outcome,
    PolicyRecord,
    Reason,
    Report,
    Scope,
    TargetDescription,
)

RUN_ID = "20261121T224017Z-4f2a9c81d0be-7c1e9a"
POLICY = (Path(__file__).parents[2] / "gate.toml").read_text(encoding="utf-8")
FAMILIES = {
    "latency.paired": Family.LATENCY,
    "golden.single": Family.GOLDEN,
    "drift.predictions": Family.DRIFT,
}


def save_evidence(folder, text):
    """Store what each check of ``FAMILIES`` saw; ``text`` is whatever the candidate says."""
    times_s = load_evidence.times_s
    loads = load_evidence.evidence([times_s(1), times_s(2, median_s=0.0025, failing=0.01)])
    outputs = {text: golden_evidence.output(), "label": golden_evidence.output("string", "label")}
    pairs = [
        (
            {text: 1.0, "label": "benign"},
            {text: 1.0 + number / 1e4, "label": text if number > 8 else "benign"},
        )
        for number in range(10)
    ]
    golden = golden_evidence.evidence(outputs, pairs)
    predicted = [Answered(predictions={"label": text if number % 3 else "other"}) for number in range(600)]
    drift = DriftEvidence(
        expected=len(predicted),
        executed=len(predicted),
        source="traffic.jsonl",
        available=len(predicted),
        seed=1,
        predictions={"label": PredictionSettings(pointer="/label", kind="category")},
        slices={},
        requests=tuple(
            Compared(id=f"line {number}", slices={}, reference=each, candidate=each)
            for number, each in enumerate(predicted)
        ),
    )
    for check_id, evidence in zip(FAMILIES, (loads, golden, drift), strict=True):
        (folder / check_id).mkdir(parents=True)
        evidence.save(folder / check_id, str)


def report(folder, text, *, run_id=RUN_ID, policy=POLICY):
    """The reject of a run whose evidence lies in ``folder``."""
    finding = Finding(
        id="golden.single.label",
        outcome=Outcome.FAIL,
        message=text,
        observed=text,
        limit=text,
        unit=text,
        samples=3,
        lower=0.1,
        upper=0.9,
        evidence=text,
        reproduce=text,
    )
    checks = tuple(
        CheckResult(
            id=check_id,
            family=family,
            required=True,
            outcome=Outcome.FAIL,
            expected=10,
            executed=10,
            duration_s=2.0,
            reason=text,
            findings=(finding,),
            evidence_files=digests(folder, check_id),
        )
        for check_id, family in FAMILIES.items()
    )
    candidate = TargetDescription(
        kind=Scope.CONTAINER,
        image=text,
        image_id="sha256:" + "4f" * 32,
        model=ModelIdentity(name=text, version=text, sha256=text),
        execution_provider=text,
    )
    return Report(
        run_id=run_id,
        started_at="2026-11-21T22:40:17Z",
        finished_at="2026-11-21T22:42:09Z",
        duration_s=112.0,
        decision=Decision.REJECT,
        reasons=(Reason(check_id="golden.single", finding_id="golden.single.label", message=text),),
        scope=Scope.CONTAINER,
        partial=False,
        suite="breast-cancer",
        candidate=candidate,
        reference=candidate,
        policy=PolicyRecord(path="gate.toml", sha256="00" * 32, content=policy),
        seed=1,
        harness_version="0.1.0",
        environment=Environment(
            cpu=text, cores=2, memory_bytes=1, kernel=text, engine=text, python="3.11", packages={text: text}
        ),
        validity={text: text},
        order=tuple(FAMILIES),
        checks=checks,
    )
