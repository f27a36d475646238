"""Which URLs are taken as a target."""

import socket
import threading

import pytest

import harness.targets.url
from harness.config.service import ServiceSettings
from harness.errors import TargetError, UsageError
from harness.model import Scope, TargetDescription
from harness.targets.url import PROBES, UrlEndpoint, UrlTarget, require_plain


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "https://host/models/a", "http://[::1]:80/"])
def test_a_plain_url_is_taken(url):
    require_plain(url)


@pytest.mark.parametrize(
    "url",
    [
        *("http://[::1", "http://", "http:///path", "http://host:99999", "http://host:port"),
        *("http://me:secret@host", "http://secret@host/", "http://host?key=secret", "http://host/#secret"),
    ],
)
def test_any_other_is_refused_without_showing_it(url):
    with pytest.raises(UsageError) as caught:
        require_plain(url)
    assert "secret" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(("dropped", "alive"), [(0, True), (PROBES - 1, True), (PROBES, False)])
def test_a_connection_that_is_lost_does_not_mean_that_it_died(monkeypatch, dropped, alive):
    monkeypatch.setattr(harness.targets.url, "PAUSE_S", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            for _ in range(dropped):
                listener.accept()[0].close()
            if alive:
                connection = listener.accept()[0]
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
                connection.close()

        threading.Thread(target=serve, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        service = ServiceSettings(port=8000, ready_path="/ready")
        assert UrlEndpoint(url, service, TargetDescription(kind=Scope.URL, url=url)).alive() is alive


@pytest.mark.parametrize("path", ["", "/", "/models/a"])
def test_one_that_is_not_ready_is_named_in_full(path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    service = ServiceSettings(port=8410, ready_path="/ready", ready_timeout_s=0.1)
    with pytest.raises(TargetError) as caught, UrlTarget(url + path, service):
        pass
    assert f"not ready within 0.1 s: GET {url}{path.rstrip('/')}/ready gave ConnectError" in str(caught.value)
    assert "8410" not in str(caught.value) + caught.value.fix
