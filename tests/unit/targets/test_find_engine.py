"""The harness and the scripts look for an engine by the same rules."""

import hashlib
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import UnixStreamServer

import pytest

from harness.errors import InfrastructureError
from harness.targets import engine
from harness.targets.engine import find_engine

SCRIPT = Path(__file__).parents[3] / "scripts" / "find_engine.py"


class FakeEngine(BaseHTTPRequestHandler):
    """As much of the engine's interface as a search asks for."""

    def do_GET(self):
        body = b"OK" if self.path.endswith("_ping") else b'{"Version": "1.2.3", "ApiVersion": "1.41"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

    def address_string(self):
        return "unix"


class UnixServer(ThreadingHTTPServer):
    address_family = UnixStreamServer.address_family
    server_bind = UnixStreamServer.server_bind
    daemon_threads = True


@pytest.fixture
def serve(tmp_path):
    servers = []

    def serve(name):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        server = UnixServer(str(tmp_path / name), FakeEngine)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"unix://{tmp_path / name}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def found(tmp_path, monkeypatch):
    """What both find: an address, or None."""
    monkeypatch.setenv("DOCKER_HOST", "")  # put back afterwards: what is found is put there
    monkeypatch.setattr(engine, "DEFAULT_SOCKET", "unix:///no/such/socket")

    def found(**environ):
        environ = {"DOCKER_CONFIG": str(tmp_path / "config"), "HOME": str(tmp_path), **environ}
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        text = SCRIPT.read_text().replace("unix:///var/run/docker.sock", "unix:///no/such/socket")
        (tmp_path / "scripts").mkdir(exist_ok=True)
        (tmp_path / "scripts" / "find_engine.py").write_text(text)
        script = subprocess.run(
            [sys.executable, tmp_path / "scripts" / "find_engine.py"],
            env=environ,
            check=False,
            capture_output=True,
            text=True,
        )
        try:
            ours = find_engine(tmp_path, environ)
        except InfrastructureError:
            ours = None
        address = script.stdout.strip() or None
        assert address == (ours.host if ours else None), script.stderr
        assert script.returncode == (0 if ours else 1)
        return address

    return found


def test_nothing(found):
    assert found() is None


def test_docker_host(found, serve):
    here = serve("a.sock")
    assert found(DOCKER_HOST=here) == here


@pytest.mark.parametrize("host", ["unix:///no/such", "tcp://127.0.0.1:1", "ssh://host"])
def test_a_docker_host_that_does_not_answer_is_not_passed_over(found, serve, tmp_path, host):
    serve("run/docker.sock")
    assert found(DOCKER_HOST=host, XDG_RUNTIME_DIR=str(tmp_path / "run")) is None


def test_a_rootless_engine(found, serve, tmp_path):
    here = serve("run/docker.sock")
    assert found(XDG_RUNTIME_DIR=str(tmp_path / "run")) == here


@pytest.mark.parametrize("chosen_by", ["environment", "configuration"])
def test_the_docker_context(found, serve, tmp_path, chosen_by):
    here = serve("context.sock")
    folder = tmp_path / "config" / "contexts" / "meta" / hashlib.sha256(b"mine").hexdigest()
    folder.mkdir(parents=True)
    meta = {"Name": "mine", "Metadata": {}, "Endpoints": {"docker": {"Host": here, "SkipTLSVerify": False}}}
    (folder / "meta.json").write_text(json.dumps(meta))
    if chosen_by == "configuration":
        (tmp_path / "config" / "config.json").write_text('{"currentContext": "mine"}')
        assert found() == here
    else:
        (tmp_path / "config" / "config.json").write_text("{}")
        assert found(DOCKER_CONTEXT="mine") == here


def test_the_private_engine_of_the_checkout(found, serve, tmp_path):
    here = serve("private.sock")
    (tmp_path / ".engine").mkdir()
    (tmp_path / ".engine" / "docker_host").write_text(here + "\n")
    assert found() == here
