"""A canary beside its baseline: the gate on two URLs, which it neither starts nor stops."""

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from local_processes import first_line

from harness.errors import ExitCode

SERVER = Path(__file__).parents[1] / "latency" / "delay_server.py"
# Too few samples for a promote, and limits that no busy machine breaks.
SUITE = """
schema_version = 1
name = "canary"

[service]
port = 8000
ready_path = "/"

[policy]
required = ["latency"]

[latency]
request = { path = "/", body = { question = 1 } }
rate_per_s = 40
block_s = 0.5
budget_s = 6
warmup_requests = 10
timeout_s = 1

[latency.metrics]
path = "/metrics"
interval_s = 1
counters = ["posts_total"]

[latency.limits]
max_generator_lag_p99_ms = 1000
max_generator_hiccup_p99_ms = 1000
max_cpu_steal = 0.99
max_reference_drift = 1000
p50 = { margin = 10 }
p95 = { margin = 10 }
p99 = { margin = 10 }
"""


@contextmanager
def service(**wanted):
    command = [sys.executable, str(SERVER), json.dumps(wanted)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            yield f"http://127.0.0.1:{int(first_line(process))}"
        finally:
            process.kill()


@pytest.fixture
def canary(start_gate, tmp_path):
    """Starts a gate on two URLs."""

    def start(candidate, reference, **replaced):
        text = SUITE
        for key, value in replaced.items():
            (line,) = [line for line in text.splitlines() if line.startswith(f"{key} = ")]
            text = text.replace(line, f"{key} = {value}")
        config = tmp_path / "gate.canary.toml"
        config.write_text(text)
        return start_gate(config, candidate, "--reference", reference)

    return start


def stored(gate):
    (path,) = gate.out.glob("*.json")
    report = json.loads(path.read_text())
    (latency,) = [check for check in report["checks"] if check["family"] == "latency"]
    return report, latency, path.with_suffix("")


def test_a_canary_is_held_against_its_baseline_and_both_metrics_are_kept(canary):
    with service(delay_ms=1) as candidate, service(delay_ms=1) as reference:
        gate = canary(candidate, reference)
        assert gate.process.wait(60) == ExitCode.INCONCLUSIVE, gate.stderr
    report, latency, evidence = stored(gate)
    assert (report["scope"], report["partial"]) == ("url", False)
    assert (report["candidate"]["url"], report["reference"]["url"]) == (candidate, reference)
    assert {check["family"] for check in report["checks"]} == {"latency", "lifecycle"}
    findings = {finding["id"].removeprefix("latency.paired."): finding for finding in latency["findings"]}
    assert findings["metrics.posts_total"]["observed"] == latency["executed"]
    assert findings["metrics"]["outcome"] == "pass"
    kept = sorted(file for file in latency["evidence_files"] if "/metrics/" in file)
    assert len(kept) == findings["metrics"]["samples"] >= 6
    assert all("posts_total" in (evidence / file).read_text() for file in kept)


def test_a_canary_that_answers_errors_is_rejected_before_the_window_ends(canary):
    with service(error_share=0.5) as candidate, service() as reference:
        gate = canary(candidate, reference, budget_s=12)
        assert gate.process.wait(60) == ExitCode.REJECT, gate.stderr
    _, latency, _ = stored(gate)
    failed = {finding["id"] for finding in latency["findings"] if finding["outcome"] == "fail"}
    assert "latency.paired.error_rate" in failed


def test_metrics_that_are_not_served_are_told_and_change_nothing(canary):
    with service() as candidate, service() as reference:
        gate = canary(candidate, reference, path='"/no-such-path"')
        assert gate.process.wait(60) == ExitCode.INCONCLUSIVE, gate.stderr
    _, latency, _ = stored(gate)
    (metrics,) = [finding for finding in latency["findings"] if ".metrics" in finding["id"]]
    assert metrics["outcome"] == "warn"
    assert "HTTP 404" in metrics["message"]


def test_an_interrupted_evaluation_leaves_nothing_behind_and_both_services_alone(canary):
    with service() as candidate, service() as reference:
        gate = canary(candidate, reference, budget_s=150)
        taken = gate.wait_for(lambda: list(gate.out.glob(".*.partial/**/metrics/0002-candidate.txt")))
        assert taken
        started = gate.descendants()
        assert started
        assert gate.end(2) == ExitCode.INTERRUPTED
        assert list(gate.out.iterdir()) == []
        assert not any(Path(f"/proc/{pid}").exists() for pid in started)
        assert [httpx.post(url).status_code for url in (candidate, reference)] == [200, 200]
