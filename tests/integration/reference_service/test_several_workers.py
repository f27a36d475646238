"""Several workers: they share the load, live on when one dies, and end together however their parent ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

import reference_service
from reference_service.healthcheck import healthy

ROOT = Path(reference_service.__file__).parents[1]
WORKERS = 2
LATE_S = 30


def children(pid):
    try:
        return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    except FileNotFoundError:
        return set()


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def eventually(condition):
    deadline = time.monotonic() + LATE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def listening(pid):
    """Whether the process holds a listening socket."""
    try:
        sockets = {link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir()}
        table = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    except OSError:
        return False
    return any(f"socket:[{line.split()[9]}]" in sockets for line in table if line.split()[3] == "0A")


@pytest.fixture
def service(running):
    with running(workers=WORKERS, rate_limit_without_redis="local") as started:
        eventually(lambda: sum(listening(pid) for pid in children(started.process.pid)) == WORKERS)
        yield started


def end(service, number=signal.SIGTERM):
    service.process.send_signal(number)
    return service.process.wait(timeout=15)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_all_with_zero(service, number):
    workers = children(service.process.pid)
    assert len(workers) == WORKERS
    assert end(service, number) == 0
    assert not any(is_alive(pid) for pid in workers)


@pytest.mark.parametrize("delay_s", [0.4, 0.8, 1.2, 1.6, 2.0])
def test_signal_while_workers_start_ends_all_with_zero(keys_file, artifact, delay_s):
    environment = {
        "SERVICE_ARTIFACT": str(artifact),
        "PYTHONPATH": str(ROOT),
        "SERVICE_HOST": "127.0.0.1",
        "SERVICE_PORT": str(free_port()),
        "SERVICE_API_KEYS_FILE": str(keys_file),
        "SERVICE_RATE_LIMIT_WITHOUT_REDIS": "local",
        "SERVICE_WORKERS": str(WORKERS),
    }
    command = [sys.executable, "-m", "reference_service"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        eventually(lambda: len(children(process.pid)) == WORKERS)
        workers = children(process.pid)
        time.sleep(delay_s)
        process.terminate()
        assert process.wait(timeout=15) == 0
    assert not any(is_alive(pid) for pid in workers)


def test_requests_in_flight_are_answered_by_every_worker(service, features, drain):
    drain(service.port, features, lambda: service.process.send_signal(signal.SIGTERM), in_flight=8)
    assert service.process.wait(timeout=15) == 0


def test_connections_reach_every_worker(service):
    """By the kernel's hash: that one of two gets all of 40 connections has a chance of 1 in 2**39."""
    workers = children(service.process.pid)
    clients = [httpx.Client(trust_env=False) for _ in range(40)]
    try:
        for client in clients:
            client.get(f"http://127.0.0.1:{service.port}/health").raise_for_status()
        owners = Counter()
        established = {
            f"socket:[{line.split()[9]}]"
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
            if line.split()[1].endswith(f":{service.port:04X}") and line.split()[3] == "01"
        }
        for pid in workers:
            links = {link.readlink().name for link in Path(f"/proc/{pid}/fd").iterdir()}
            owners[pid] = len(established & links)
    finally:
        for client in clients:
            client.close()
    assert sum(owners.values()) == len(clients)
    assert min(owners[pid] for pid in workers) > 0


def test_dead_worker_is_replaced(service):
    before = children(service.process.pid)
    victim = min(before)
    os.kill(victim, signal.SIGKILL)

    def replaced():
        now = children(service.process.pid)
        return victim not in now and sum(listening(pid) for pid in now) == WORKERS

    eventually(replaced)
    assert healthy(service.port)
    assert end(service) == 0
    entries = [json.loads(line) for line in service.process.stdout]
    (death,) = [entry for entry in entries if entry["message"] == "worker ended"]
    assert (death["pid"], death["exit_code"]) == (victim, -signal.SIGKILL)
    assert [entry["message"] for entry in entries].count("worker started") == WORKERS + 1


def test_workers_end_when_their_parent_is_killed(service):
    workers = children(service.process.pid)
    service.process.kill()
    eventually(lambda: not any(is_alive(pid) for pid in workers))
    assert not healthy(service.port)


@pytest.fixture
def features(artifact):
    return json.loads((artifact / "manifest.json").read_text())["sample"]["input"]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@contextmanager
def refused(keys_file, **settings):
    environment = {
        "PYTHONPATH": str(ROOT),
        "SERVICE_HOST": "127.0.0.1",
        "SERVICE_API_KEYS_FILE": str(keys_file),
        "SERVICE_RATE_LIMIT_WITHOUT_REDIS": "local",
        "CUDA_VISIBLE_DEVICES": "",
        **{f"SERVICE_{name.upper()}": str(value) for name, value in settings.items()},
    }
    command = [sys.executable, "-m", "reference_service"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        yield process
        log, _ = process.communicate(timeout=LATE_S)
        assert process.returncode == 3, log
        process.messages = [json.loads(line)["message"] for line in log.splitlines()]


@pytest.mark.parametrize("workers", [1, 2])
def test_refusal_of_a_worker_ends_everything_with_its_reason(keys_file, artifact, workers):
    (artifact / "model.onnx").write_bytes(b"damaged")
    with refused(keys_file, artifact=artifact, port=free_port(), workers=workers) as process:
        pass
    assert any("refusing to start" in text and "model.onnx" in text for text in process.messages)
    assert "listening" not in process.messages


@pytest.mark.parametrize("workers", [1, 2])
def test_cuda_without_cuda_is_refused_with_what_to_do(keys_file, artifact, workers):
    settings = {"execution_provider": "cuda", "artifact": artifact, "port": free_port(), "workers": workers}
    with refused(keys_file, **settings) as process:
        pass
    (reason,) = [text for text in process.messages if text.startswith("refusing to start")]
    assert "SERVICE_EXECUTION_PROVIDER=c" in reason
    expected = "onnxruntime-gpu" if workers == 1 else "needs a GPU for each worker; visible are 0 (none)"
    assert expected in reason
    assert "listening" not in process.messages


@pytest.mark.parametrize("workers", [1, 2])
def test_port_in_use_is_refused_by_name(keys_file, service, workers):
    with refused(keys_file, port=service.port, workers=workers) as process:
        pass
    (reason,) = process.messages
    assert reason.startswith("refusing to start: SERVICE_HOST=127.0.0.1, SERVICE_PORT=")
    assert reason.endswith("Address already in use")
    assert healthy(service.port)
