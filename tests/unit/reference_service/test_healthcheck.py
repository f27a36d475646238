"""Where the health check beside the service asks."""

import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reference_service.healthcheck import healthy


class Healthy(http.server.BaseHTTPRequestHandler):
    """Answers /health with 200."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class Server6(http.server.HTTPServer):
    """Listens on IPv6."""

    address_family = socket.AF_INET6


@contextmanager
def listening_on(host: str) -> Iterator[int]:
    server = (Server6 if ":" in host else http.server.HTTPServer)((host, 0), Healthy)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("listens_on", "setting"),
    [
        ("127.0.0.1", None),
        ("127.0.0.1", ""),
        ("127.0.0.1", "0.0.0.0"),  # nothing listens there: it is what the check reads
        ("127.0.0.2", "127.0.0.2"),
        ("::1", "::1"),
        ("::1", "::"),
    ],
)
def test_it_asks_where_the_service_listens(listens_on: str, setting: str | None) -> None:
    with listening_on(listens_on) as port:
        assert healthy(port, {} if setting is None else {"SERVICE_HOST": setting})


def test_it_tells_why_the_service_is_not_healthy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with listening_on("127.0.0.1") as port:
        monkeypatch.setattr(Healthy, "do_GET", lambda self: (self.send_response(503), self.end_headers()))
        assert not healthy(port, {})
    assert capsys.readouterr().err == f"/health of 127.0.0.1:{port} is answered 503\n"
    assert not healthy(port, {})
    assert "ConnectionRefusedError" in capsys.readouterr().err
    assert not healthy(port, {"SERVICE_TLS_CERT_FILE": "/nowhere"})
    assert "SERVICE_TLS_CERT_FILE, SERVICE_TLS_KEY_FILE: [Errno 2] No such file or directory: '/nowhere'" in (
        capsys.readouterr().err
    )


def test_it_asks_nowhere_else() -> None:
    with listening_on("127.0.0.1") as port:
        assert not healthy(port, {"SERVICE_HOST": "127.0.0.2"})
