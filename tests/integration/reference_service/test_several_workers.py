"""Several workers: they share the load, live on when one dies, and end together however their parent ends."""

import json
import os
import signal
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from local_processes import free_port

from reference_service.healthcheck import healthy
from reference_service.problems import EXIT_REFUSED

WORKERS = 2
SEVERAL = {"workers": WORKERS, "rate_limit_without_redis": "local"}
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


@contextmanager
def all_listening(running):
    with running(**SEVERAL) as started:
        eventually(lambda: sum(listening(pid) for pid in children(started.process.pid)) == WORKERS)
        yield started


@pytest.fixture
def service(running):
    with all_listening(running) as started:
        yield started


@pytest.fixture(scope="module")
def undisturbed(running):
    """One for all tests that leave it as it is."""
    with all_listening(running) as started:
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


@pytest.mark.parametrize("delay_s", [0.4, 1.2, 2.0])
def test_signal_while_workers_start_ends_all_with_zero(process, delay_s):
    with process(port=free_port(), **SEVERAL) as parent:
        eventually(lambda: len(children(parent.pid)) == WORKERS)
        workers = children(parent.pid)
        time.sleep(delay_s)
        parent.terminate()
        assert parent.wait(timeout=15) == 0
    assert not any(is_alive(pid) for pid in workers)


def test_requests_in_flight_are_answered_by_every_worker(service, features, drain):
    drain(service.port, features, lambda: service.process.send_signal(signal.SIGTERM), in_flight=8)
    assert service.process.wait(timeout=15) == 0


def test_connections_reach_every_worker(undisturbed):
    """By the kernel's hash: that one of two gets all of 40 connections has a chance of 1 in 2**39."""
    workers = children(undisturbed.process.pid)
    clients = [httpx.Client(trust_env=False) for _ in range(40)]
    try:
        for client in clients:
            client.get(f"http://127.0.0.1:{undisturbed.port}/health").raise_for_status()
        owners = Counter()
        established = {
            f"socket:[{line.split()[9]}]"
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
            if line.split()[1].endswith(f":{undisturbed.port:04X}") and line.split()[3] == "01"
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


def test_a_worker_that_is_refused_a_later_start_leaves_the_others_alone(running, artifact):
    model = artifact / "model.onnx"
    content = model.read_bytes()
    with running(artifact=artifact, workers=WORKERS, rate_limit_without_redis="local") as service:
        eventually(lambda: sum(listening(pid) for pid in children(service.process.pid)) == WORKERS)
        model.write_bytes(b"damaged")
        before = children(service.process.pid)
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        lines = iter(service.process.stdout.readline, "")
        assert any(entry.get("exit_code") == EXIT_REFUSED for entry in map(json.loads, lines))
        time.sleep(0.2)
        assert service.process.poll() is None
        assert before - {victim} <= children(service.process.pid)
        assert healthy(service.port)
        model.write_bytes(content)
        eventually(lambda: sum(listening(pid) for pid in children(service.process.pid)) == WORKERS)
        assert end(service) == 0


def test_workers_end_when_their_parent_is_killed(service):
    workers = children(service.process.pid)
    service.process.kill()
    eventually(lambda: not any(is_alive(pid) for pid in workers))
    assert not healthy(service.port)


@pytest.fixture
def refusal(process):
    """Starts a service that must refuse to; gives the messages of its log."""

    def start(**settings):
        with process(**{"port": free_port(), "rate_limit_without_redis": "local"} | settings) as parent:
            log, _ = parent.communicate(timeout=LATE_S)
        assert parent.returncode == 3, log
        return [json.loads(line)["message"] for line in log.splitlines()]

    return start


@pytest.mark.parametrize("workers", [1, 2])
def test_refusal_of_a_worker_ends_everything_with_its_reason(refusal, artifact, workers):
    (artifact / "model.onnx").write_bytes(b"damaged")
    messages = refusal(artifact=artifact, workers=workers)
    assert any("refusing to start" in text and "model.onnx" in text for text in messages)
    warned = [
        text for text in messages if text.startswith(f"every quota holds for each of {workers} workers")
    ]
    assert len(warned) == (workers > 1)
    assert "listening" not in messages


@pytest.mark.parametrize("workers", [1, 2])
def test_cuda_without_cuda_is_refused_with_what_to_do(refusal, workers):
    messages = refusal(execution_provider="cuda", workers=workers)
    (reason,) = [text for text in messages if text.startswith("refusing to start")]
    assert "SERVICE_EXECUTION_PROVIDER=c" in reason
    expected = "onnxruntime-gpu" if workers == 1 else "needs a GPU for each worker; visible are 0 (none)"
    assert expected in reason
    assert "listening" not in messages


@pytest.mark.parametrize("workers", [1, 2])
def test_port_in_use_is_refused_by_name(refusal, undisturbed, workers):
    (reason,) = refusal(port=undisturbed.port, workers=workers)
    assert reason.startswith("refusing to start: SERVICE_HOST=127.0.0.1, SERVICE_PORT=")
    assert reason.endswith("Address already in use")
    assert healthy(undisturbed.port)
