"""`harness load` as a user calls it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from local_processes import descendants, free_port

from harness.load import Samples

KEY = "a-secret-of-some-length"
TIMEOUT_S = 90
ENVIRON = {**os.environ, "GATE_KEY_SHOP": KEY}


def command(suite, *options):
    return [sys.executable, "-m", "harness", "load", "--config", str(suite), *options]


def load(suite, *options):
    """Run it with --json; return its exit code, its result, its standard error."""
    done = subprocess.run(
        command(suite, *options, "--json"),
        check=False,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env=ENVIRON,
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def test_one_generator_sends_what_was_asked_for_and_tells_exactly(suite, delay_server, tmp_path):
    out = tmp_path / "out"
    with delay_server(delay_ms=5) as url:
        options = ("--target", url, "--rate", "40", "--duration", "2", "--seed", "7", "--out", str(out))
        code, result, shown = load(suite, *options)
    assert code == 0, shown
    samples = Samples.load(out / "samples.npz")
    assert samples.side.size == result["sides"]["target"]["requests"] == 80
    exact = np.sort(samples.response_s)
    assert result["sides"]["target"]["percentiles_ms"]["p95"] == pytest.approx(1000 * exact[75])
    assert result["sides"]["target"]["percentiles_ms"]["p50"] >= 5.0
    assert result["sides"]["target"]["throughput_per_s"] > 0
    assert result["validity"]["web_ui"] is False
    assert json.loads((out / "load.json").read_text()) == result
    assert "target" in shown
    assert KEY not in shown + json.dumps(result)


def test_failures_are_told_by_kind(suite, delay_server, tmp_path):
    with delay_server(delay_ms=1, error_share=0.3) as url:
        options = ("--target", url, "--reference", url, "--rate", "40", "--duration", "2")
        code, result, _ = load(suite, *options, "--out", str(tmp_path / "out"))
    assert code == 0
    for side in ("target", "reference"):
        assert result["sides"][side]["failures"]["wrong_status"] > 0
        assert result["sides"][side]["percentiles_ms"]["p99"] is None


def test_local_workers_send_the_same_requests_as_one(suite, delay_server, tmp_path):
    with delay_server(delay_ms=1) as url:
        options = ("--target", url, "--rate", "40", "--duration", "2", "--seed", "3")
        one = load(suite, *options, "--out", str(tmp_path / "one"))
        two = load(suite, *options, "--workers", "2", "--out", str(tmp_path / "two"))
    assert (one[0], two[0]) == (0, 0), two[2]
    single, merged = (Samples.load(tmp_path / name / "samples.npz") for name in ("one", "two"))
    assert merged.payload.tolist() == single.payload.tolist()
    np.testing.assert_allclose(np.diff(merged.intended_s), np.diff(single.intended_s), atol=0.005)
    assert [worker["worker"] for worker in two[1]["workers"]] == [0, 1]


def test_a_used_folder_and_two_roles_are_refused(suite, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    assert load(suite, "--target", "http://127.0.0.1:1", "--out", str(tmp_path / "out"))[0] == 2
    assert load(suite, "--worker", "--master")[0] == 2
    assert load(suite, "--master", "--workers", "2")[0] == 2


def test_a_lost_worker_fails_the_load(suite, delay_server, tmp_path):
    with delay_server(delay_ms=1) as url:
        options = ("--target", url, "--rate", "20", "--duration", "20", "--workers", "2", "--web")
        with subprocess.Popen(
            command(suite, *options, "--web-port", "0", "--out", str(tmp_path / "out")),
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRON,
        ) as process:
            for line in process.stderr:
                if "live at" in line:
                    break
            nodes = [pid for pid in descendants(process.pid) if b"harness.load.node" in cmdline(pid)]
            assert not any(KEY.encode() in cmdline(pid) for pid in descendants(process.pid))
            os.kill(nodes[0], signal.SIGKILL)
            told = process.stderr.read()
            assert process.wait(TIMEOUT_S) == 5
    assert "a local worker ended" in told
    assert not (tmp_path / "out" / "samples.npz").exists()


def test_a_remote_worker_that_goes_silent_fails_the_load(suite, delay_server, tmp_path):
    where = ["--master-port", str(free_port())]
    worker = subprocess.Popen(command(suite, "--worker", *where), start_new_session=True)
    try:
        with delay_server(delay_ms=1) as url:
            options = ("--target", url, "--rate", "20", "--duration", "25", "--master", "--web")
            with subprocess.Popen(
                command(suite, *options, *where, "--web-port", "0", "--out", str(tmp_path / "out")),
                stderr=subprocess.PIPE,
                text=True,
                env=ENVIRON,
            ) as process:
                for line in process.stderr:
                    if "live at" in line:
                        break
                else:
                    pytest.fail("the load did not begin")
                os.killpg(worker.pid, signal.SIGSTOP)
                told = process.stderr.read()
                assert process.wait(TIMEOUT_S) == 5
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
    assert "was lost" in told


def cmdline(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_the_web_ui_shows_exact_percentiles_and_cannot_stop_the_load(suite, delay_server, tmp_path):
    port = free_port()
    ui = f"http://127.0.0.1:{port}"
    with delay_server(delay_ms=5) as url:
        options = ("--target", url, "--rate", "40", "--duration", "3", "--web", "--web-port", str(port))
        with subprocess.Popen(
            command(suite, *options, "--out", str(tmp_path / "out")),
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRON,
        ) as process:
            for line in process.stderr:
                if "until Ctrl-C" in line:
                    break
            time.sleep(2.1)  # Locust renews its statistics every two seconds
            statistics = httpx.get(f"{ui}/stats/requests").json()
            page = httpx.get(ui).text
            assert httpx.post(f"{ui}/stop").status_code == httpx.codes.FORBIDDEN
            process.send_signal(signal.SIGINT)
            process.wait(TIMEOUT_S)
    total = statistics["stats"][-1]
    exact = np.sort(Samples.load(tmp_path / "out" / "samples.npz").response_s)
    assert total["num_requests"] == exact.size == 120
    assert total["median_response_time"] == pytest.approx(1000 * exact[59], abs=0.001)
    assert total["response_time_percentile_0.99"] == pytest.approx(1000 * exact[118], abs=0.001)
    assert statistics["extended_stats"][0]["data"][-1]["requests"] == 120
    assert "Exact percentiles" in page
    assert KEY not in page
