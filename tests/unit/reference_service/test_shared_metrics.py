"""Several workers count as one: counts add up, and what a dead one only held for itself goes with it."""

import os
import subprocess
import sys

import pytest

from reference_service.telemetry.shared import VARIABLE, forget_worker, sharing

WORKER = """
import sys, time
import numpy as np
from reference_service.telemetry.baseline import Baseline
from reference_service.telemetry.drift import Drift
from reference_service.telemetry.metrics import Metrics

baseline = Baseline.model_validate({
    "schema_version": 1, "rows": 10, "predictions": {"yes": 5, "no": 5},
    "features": [{"name": "size", "edges": [0.0], "counts": [5, 5]}],
})
common = {"model_version": "1.0.0", "deployment_id": "test"}
metrics = Metrics(model=("m", "1.0.0"), deployment_id="test", paths=frozenset({"/predict"}),
                  classes=["yes", "no"], features=["size"])
drift = Drift(baseline, common)
metrics.expose(drift)
metrics.built_with("CPUExecutionProvider")
for _ in range(int(sys.argv[1])):
    metrics.observe_request(path="/predict", method="POST", status=200, duration_s=0.01)
    metrics.observe_run(rows=100, duration_s=0.001)
    metrics.in_flight.inc()
    drift.add(np.ones((100, 1), dtype=np.float32), ["yes"] * 100)
print(metrics.exposition().decode())
"""
COMMON = 'deployment_id="test",model_version="1.0.0"'


def worker(requests):
    """Count that many requests of 100 rows in a process of its own; give its id and what it then exposes."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(requests)], stdout=subprocess.PIPE, text=True
    )
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    return process.pid, {name: float(value) for name, value in lines}


def test_workers_add_up():
    with sharing() as folder:
        first, alone = worker(10)
        _, together = worker(5)
        requests = (
            'http_requests_total{deployment_id="test",method="POST",model_version="1.0.0",'
            'path="/predict",status="200"}'
        )
        assert alone[requests] == 10
        assert together[requests] == 15
        assert together[f"inference_batch_size_sum{{{COMMON}}}"] == 1500
        assert together[f"inference_duration_seconds_count{{{COMMON}}}"] == 15
        assert together[f"inference_in_flight{{{COMMON}}}"] == 15
        assert together[f"inference_drift_rows{{{COMMON}}}"] == 1500
        assert 'inference_drift_psi{deployment_id="test",feature="size",model_version="1.0.0"}' in together
        info = [name for name in together if name.startswith("inference_build_info")]
        assert [together[name] for name in info] == [1]
        assert not any("pid=" in name for name in together)

        forget_worker(folder, first)
        _, after = worker(0)
        assert after[requests] == 15
        assert after[f"inference_in_flight{{{COMMON}}}"] == 5
        assert after[f"inference_drift_rows{{{COMMON}}}"] == 500


def test_names_and_labels_are_the_same_for_one_worker_and_for_several():
    _, one = worker(20)
    with sharing():
        _, several = worker(20)
    assert one.keys() == several.keys()


def test_the_folder_is_private_and_goes_in_the_end():
    assert VARIABLE not in os.environ
    with sharing() as folder:
        assert os.environ[VARIABLE] == str(folder)
        assert folder.stat().st_mode & 0o077 == 0
    assert VARIABLE not in os.environ
    assert not folder.exists()


def test_the_folder_goes_after_a_failure_too():
    with pytest.raises(RuntimeError), sharing() as folder:
        raise RuntimeError
    assert not folder.exists()
