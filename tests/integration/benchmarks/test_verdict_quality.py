"""The command itself, on a plan of two short runs. What it measures beside other tests says nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
COMMAND = (sys.executable, "-m", "benchmarks.verdict_quality")
PLAN = """
seed = 1
calibration = { measurements = 1, budget_s = 12 }
stock = { users = 2, duration_s = 5, threshold = 0.2 }

[accuracy]
runs = 1
requests = 200
rate_per_s = 200
tolerance_share = 0.02
tolerance_ms = 0.3
delays = [{ name = "known", median_ms = 2.0, sigma = 0.5 }]

[[scenarios]]
name = "aa"
title = "A/A"
runs = 1
stock_runs = 1
budget_s = 12

[[scenarios]]
name = "slower"
title = "slower"
runs = 1
budget_s = 12
noise = true
candidate = { form = "all", effect = 0.25, amount = 0.6 }
"""


@pytest.mark.engine
@pytest.mark.slow
def test_runs_are_made_once_and_told(tmp_path, base_image):
    (tmp_path / "plan.toml").write_text(PLAN)
    results = tmp_path / "results"

    def command(*options):
        return subprocess.run(
            [*COMMAND, "--plan", tmp_path / "plan.toml", "--results", results, *options],
            cwd=ROOT,
            env={**os.environ, "HARNESS_BASE_IMAGE": base_image},
            capture_output=True,
            text=True,
            check=True,
            timeout=500,
        )

    assert "known" in command("--only", "known").stderr
    assert "5 runs" not in command().stderr
    (path,) = results.iterdir()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert not [line["error"] for line in lines if "error" in line]
    kinds = sorted(line["kind"] for line in lines)
    assert kinds == ["accuracy", "calibration", "gate", "gate", "machine", "stock"]
    for line in lines:
        if line["kind"] == "gate":
            assert line["decision"] in {"promote", "reject", "inconclusive"}
            assert line["pairs"] * 0.9 / 200 < line["load_s"]
            assert line["cpu_ms"]["candidate"] > 0
            assert {"p50.ratio", "p95.ratio", "p99.ratio"} <= {f["id"] for f in line["findings"]}
    assert "0 runs" in command().stderr
    assert path.read_text().count("\n") == len(lines)
    assert "| A/A | 12 s | 1 |" in command("--report").stdout
