"""The published count of ONNX's backend tests is that of its results."""

import json
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[3] / "benchmarks" / "onnx_backend" / "results.json"


def test_the_counts_are_those_of_the_results(pages):
    results = json.loads(RESULTS.read_text())
    page = pages["docs/golden.md"]
    told = {row[0]: row[1] for row in page.table_rows() if len(row) == 2}
    assert told["models"] == str(results["models"]) == str(sum(results["outcomes"].values()))
    assert told["imported as golden sets"] == str(results["imported"])
    assert told["verified over HTTP"] == str(results["outcomes"]["verified"])
    assert told["off"] == str(results["outcomes"]["off"]) == str(len(results["reasons"]["off"]))
    assert f"onnx {results['onnx']} and onnxruntime {results['onnxruntime']}" in page.text
