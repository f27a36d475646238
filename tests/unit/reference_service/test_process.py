"""The service as a process of its own: it starts quickly, drains on a signal, and survives malformed HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from local_processes import free_port, kill

import reference_service
from reference_service.healthcheck import healthy

ROOT = Path(reference_service.__file__).parents[1]


@contextmanager
def running(settings):
    port = free_port()
    environment = {
        "PYTHONPATH": str(ROOT),
        "SERVICE_HOST": "127.0.0.1",
        "SERVICE_PORT": str(port),
        "SERVICE_ARTIFACT": str(settings.artifact),
        "SERVICE_API_KEYS_FILE": str(settings.api_keys_file),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "reference_service"], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        deadline = time.monotonic() + 20
        while not healthy(port):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process, port
    finally:
        kill(process)
        process.stdout.close()


@pytest.fixture(scope="module")
def port(shared_settings):
    with running(shared_settings) as (_, port):
        yield port


def request_bytes(body, *, length):
    head = (
        f"POST /predict HTTP/1.1\r\nHost: x\r\nX-API-Key: good-key\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_request_in_flight_is_answered_after_a_signal(shared_settings, features, number):
    with running(shared_settings) as (process, port):
        drain(process, port, features, number)


def drain(process, port, features, number):
    body = json.dumps({"features": features}).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request_bytes(body[:100], length=len(body)))
        time.sleep(0.3)
        os.kill(process.pid, number)
        time.sleep(0.3)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{port}/health")
        connection.sendall(body[100:])
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert process.wait(timeout=15) == 0
    assert all(json.loads(line) for line in process.stdout)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        request_bytes(b"{", length=100),
    ],
)
def test_malformed_http_leaves_a_healthy_service(port, raw):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    assert not answer or answer.split(b" ")[1].startswith(b"4")
    assert healthy(port)


def test_healthcheck_of_a_port_where_nothing_listens():
    assert not healthy(free_port())


def test_wrong_setting_is_refused_in_one_line():
    finished = subprocess.run(
        [sys.executable, "-m", "reference_service"],
        env={"PYTHONPATH": str(ROOT), "SERVICE_PORT": "0"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert finished.returncode == 3
    message = json.loads(finished.stdout)["message"]
    assert message.startswith("refusing to start: settings: port: ")
    assert finished.stderr == ""
