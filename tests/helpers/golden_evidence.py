"""Golden evidence made of expected and observed values."""

from harness.checks.golden.evidence import GoldenEvidence, RecordedRequest
from harness.checks.golden.header import GoldenHeader
from harness.checks.golden.records import CaseRecord
from harness.checks.golden.settings import OutputSettings

PRODUCER = {"name": "p", "version": "1", "kind": "script", "date": "2026-11-01", "environment": "python"}
REQUEST = RecordedRequest(
    base_url="http://127.0.0.1:1", method="POST", path="/ask", headers={"X-Token": "$GATE_KEY_DEFAULT"}
)


def header(**producer):
    """The header of a golden set."""
    return GoldenHeader.model_validate(
        {
            "schema_version": 1,
            "producer": {**PRODUCER, **producer},
            "model": {"name": "m", "version": "1", "sha256": "0" * 64},
            "dataset": {"name": "d", "sha256": "0" * 64},
            "cases": {"file": "cases.jsonl", "sha256": "0" * 64, "count": 4},
        }
    )


def output(dtype="float32", name="value", **declared):
    """The declaration of an output that lies under its own name."""
    return OutputSettings(pointer=f"/{name}", dtype=dtype, **declared)


def evidence(outputs, pairs, **more):
    """Evidence of answered cases.

    Args:
        outputs: Declarations by name.
        pairs: For each case its expected and its observed values, each by the name of the output.
        more: Other fields of the evidence.
    """
    cases = tuple(
        CaseRecord(id=f"row-{number}", expected=expected, observed=observed)
        for number, (expected, observed) in enumerate(pairs)
    )
    return GoldenEvidence(
        **{
            "expected": len(cases),
            "executed": len(cases),
            "header": header(),
            "outputs": outputs,
            "request": REQUEST,
            "cases": cases,
            **more,
        }
    )
