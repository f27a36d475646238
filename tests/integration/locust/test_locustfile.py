"""The locustfile, with its web UI, against the reference service as a process."""

import hashlib
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from local_processes import free_port, kill

ROOT = Path(__file__).resolve().parents[3]
START_TIMEOUT_S = 30
SWARM_TIMEOUT_S = 20
REQUESTS = 40


@contextmanager
def process(command, log, *, url, **environment):
    """Run a server until the block ends; inside, it answers at `url`."""
    with log.open("wb") as output:
        started = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            deadline = time.monotonic() + START_TIMEOUT_S
            while not answers(url):
                assert started.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            yield
        finally:
            kill(started)


def answers(url):
    try:
        return httpx.get(url, timeout=2).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


@pytest.fixture
def key():
    return secrets.token_hex(16)


@pytest.fixture
def service(tmp_path, key):
    """Base URL of the service; only `key` may predict."""
    entry = {"id": "load", "sha256": hashlib.sha256(key.encode()).hexdigest(), "scopes": ["predict"]}
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [entry]}))
    port = free_port()
    with process(
        [sys.executable, "-m", "reference_service"],
        tmp_path / "service.log",
        url=f"http://127.0.0.1:{port}/ready",
        SERVICE_HOST="127.0.0.1",
        SERVICE_PORT=str(port),
        SERVICE_ARTIFACT="reference_service/artifacts/breast-cancer",
        SERVICE_API_KEYS_FILE=str(keys),
    ):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def web_ui(tmp_path, service):
    """Opens the web UI with an API key; gives a client of it."""

    @contextmanager
    def opened(key):
        port = free_port()
        ui = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "locust", "-f", "scenarios/locustfile.py", "--host", service]
        command += ["--web-host", "127.0.0.1", "--web-port", str(port), "--class-picker"]
        log = tmp_path / "locust.log"
        with (
            process(command, log, url=ui, LOCUST_API_KEY=key),
            httpx.Client(base_url=ui, timeout=10) as client,
        ):
            yield client

    return opened


def until(ui, condition):
    """Poll the statistics, which Locust renews every two seconds, until they meet a condition."""
    deadline = time.monotonic() + SWARM_TIMEOUT_S
    while not condition(seen := ui.get("/stats/requests").json()):
        assert time.monotonic() < deadline, seen
        time.sleep(0.2)
    return seen


def swarm(ui):
    """Start two users, stop them after some requests; return statistics, errors, exact percentiles."""
    started = ui.post("/swarm", data={"user_count": 2, "spawn_rate": 2, "user_classes": "InferenceUser"})
    assert started.json()["success"], started.text
    until(ui, lambda seen: seen["stats"][-1]["num_requests"] >= REQUESTS)
    assert ui.post("/stop").json()["success"]
    statistics = until(ui, lambda seen: seen["state"] == "stopped")
    exact = {entry["name"]: entry for entry in statistics["extended_stats"][0]["data"]}
    return {entry["name"]: entry for entry in statistics["stats"]}, statistics["errors"], exact


def test_web_ui_swarms_without_a_failure(web_ui, key):
    with web_ui(key) as ui:
        page = ui.get("/")
        assert page.status_code == httpx.codes.OK
        assert re.search(r"\bInferenceUser\b", page.text)
        statistics, errors, exact = swarm(ui)
        logs = ui.get("/logs").text
    assert errors == []
    for name, entry in statistics.items():
        assert exact[name]["requests"] >= entry["num_requests"] - 1
        assert entry["response_time_percentile_0.999"] == exact[name]["p99_9"]
        assert 0 < entry["min_response_time"] <= entry["median_response_time"] <= exact[name]["max"]
        assert not float(entry["median_response_time"]).is_integer()
    assert statistics["/predict"]["num_requests"] > statistics["/predict/batch"]["num_requests"] > 0
    assert statistics["Aggregated"]["num_failures"] == 0
    assert key not in page.text + logs


def test_no_form_sends_the_key_elsewhere(web_ui, key):
    with socket.create_server(("127.0.0.1", 0)) as elsewhere, web_ui(key) as ui:
        elsewhere.settimeout(0.5)
        form = {"user_count": 1, "spawn_rate": 1, "user_classes": "InferenceUser"}
        form["host"] = f"http://127.0.0.1:{elsewhere.getsockname()[1]}"
        refused = ui.post("/swarm", data=form).json()
        assert refused["success"] is False
        assert "--host" in refused["message"]
        with pytest.raises(TimeoutError):
            elsewhere.accept()
        assert ui.get("/stats/requests").json()["state"] == "ready"


def test_a_user_that_is_pointed_elsewhere_sends_nothing(key, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0.5)
        url = f"http://127.0.0.1:{elsewhere.getsockname()[1]}"
        another = tmp_path / "locustfile.py"
        another.write_text(f"from scenarios.locustfile import InferenceUser\nInferenceUser.host = {url!r}\n")
        done = subprocess.run(
            [sys.executable, "-m", "locust", "-f", str(another), "--headless", "--run-time", "5s"],
            cwd=ROOT,
            env={**os.environ, "LOCUST_API_KEY": key, "PYTHONPATH": str(ROOT)},
            check=False,
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT_S,
        )
        with pytest.raises(TimeoutError):
            elsewhere.accept()
    assert f"{url} is not the --host" in done.stderr
    assert done.returncode == 2


def test_refused_requests_are_counted_as_failures(web_ui):
    with web_ui("a-key-that-was-never-issued") as ui:
        statistics, errors, exact = swarm(ui)
    total = statistics["Aggregated"]
    assert exact["Aggregated"]["p50"] == "failed"
    assert exact["Aggregated"]["failures"] == f"wrong_status {exact['Aggregated']['requests']}"
    assert total["num_failures"] == total["num_requests"] > 0
    assert all("401" in error["error"] for error in errors)
