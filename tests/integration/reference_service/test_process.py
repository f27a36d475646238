"""The service as a process of its own: it drains on a signal, and survives malformed HTTP."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from local_processes import free_port

import reference_service
from reference_service.healthcheck import healthy

PACKAGE = Path(reference_service.__file__).parent
ARTIFACT = PACKAGE / "artifacts" / "breast-cancer"


@pytest.fixture(scope="module")
def port(running):
    with running() as service:
        yield service.port


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_requests_in_flight_are_answered_after_a_signal(running, features, drain, number):
    with running() as service:
        drain(service.port, features, lambda: service.process.send_signal(number), in_flight=3)
        assert service.process.wait(timeout=15) == 0
        assert all(json.loads(line) for line in service.process.stdout)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{",
    ],
)
def test_malformed_http_leaves_a_healthy_service(port, raw):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    assert not answer or answer.split(b" ")[1].startswith(b"4")
    assert healthy(port)


@pytest.mark.parametrize("suffix", ["%0A", "%0a", "/", "%00", ";x", "//", "/."])
@pytest.mark.parametrize("operation", ["POST /predict", "POST /predict/batch", "GET /metadata"])
def test_what_follows_a_protected_path_makes_it_unknown(port, features, key, operation, suffix):
    body = json.dumps({"features": features, "instances": [features]}).encode()
    for credential in ("", f"X-API-Key: {key}\r\n"):
        head = (
            f"{operation}{suffix} HTTP/1.1\r\nHost: x\r\n{credential}Content-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(head.encode() + body)
            assert connection.recv(65536).startswith(b"HTTP/1.1 404 ")


def test_healthcheck_of_a_port_where_nothing_listens():
    assert not healthy(free_port())


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ({"SERVICE_PORT": "0"}, "settings: SERVICE_PORT: "),
        ({"SERVICE_RATE_LIMITS": "5/second"}, "SERVICE_RATE_LIMITS: there is no such setting; did you mean "),
        ({"SERVICE_WORKERS": "2"}, "settings: Value error, with SERVICE_WORKERS=2 each worker would count"),
        (
            {"SERVICE_TRUSTED_PROXIES": "10.0.0.1/8"},
            "settings: SERVICE_TRUSTED_PROXIES: Value error, 10.0.0.1/8",
        ),
        ({"SERVICE_RATE_LIMIT_REDIS_URL_FILE": "/nowhere"}, "/nowhere: No such file"),
    ],
)
def test_wrong_setting_is_refused_in_one_line(setting, problem):
    finished = subprocess.run(
        [sys.executable, "-m", "reference_service"],
        env={"PYTHONPATH": str(PACKAGE.parent), "SERVICE_ARTIFACT": str(ARTIFACT), **setting},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert finished.returncode == 3
    message = json.loads(finished.stdout)["message"]
    assert message.startswith(f"refusing to start: {problem}")
    assert finished.stderr == ""
