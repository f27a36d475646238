"""What a service says of its model."""

import json
import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.config.auth import AuthSettings
from harness.config.service import ServiceSettings
from harness.credentials import Credentials
from harness.errors import TargetError
from harness.model import Scope, TargetDescription
from harness.targets.identity import identified
from harness.testing import FakeEndpoint

SERVICE = ServiceSettings.model_validate(
    {
        "port": 1,
        "ready_path": "/",
        "metadata": {"path": "/metadata", "name": "/name", "execution_provider": "/provider"},
    }
)
CREDENTIALS = Credentials(AuthSettings(keys=("default",)), {})


@contextmanager
def serving(document):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield FakeEndpoint(base_url=f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


def described(document, device, service=SERVICE):
    with serving(document) as endpoint:
        description = TargetDescription(kind=Scope.CONTAINER, device=device)
        return identified(replace(endpoint, description=description), service, CREDENTIALS)


def test_a_secret_that_a_service_gives_as_its_name_is_not_shown():
    found = described({"name": f"x{CREDENTIALS.key('default')}", "provider": "CPU"}, "cpu")
    assert found.model.name == "x$GATE_KEY_DEFAULT"


def test_a_gpu_is_believed_where_the_service_names_one():
    found = described({"name": "m", "provider": "CUDAExecutionProvider"}, "gpu")
    assert found.execution_provider == "CUDAExecutionProvider"


@pytest.mark.parametrize("provider", ["CPUExecutionProvider", "cpu", "", None])
def test_asked_for_a_gpu_anything_else_is_an_error(provider):
    with pytest.raises(TargetError, match="asked for a GPU"):
        described({"name": "m", "provider": provider}, "gpu")
    assert described({"name": "m", "provider": provider}, "cpu").execution_provider == provider


COUNTED = ServiceSettings.model_validate(
    {
        "port": 1,
        "ready_path": "/",
        "metadata": {
            "path": "/metadata",
            "execution_provider": "/provider",
            "execution_providers": "/providers",
            "nodes_by_provider": "/nodes",
        },
        "gpu": {"max_cpu_nodes": 1},
    }
)
CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
ON_CUDA = {"provider": CUDA, "providers": [CUDA, CPU], "nodes": {CUDA: 12, CPU: 1}}


def test_providers_and_nodes_are_kept():
    found = described(ON_CUDA, "gpu", COUNTED)
    assert found.execution_providers == (CUDA, CPU)
    assert found.nodes_by_provider == {CUDA: 12, CPU: 1}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"nodes": {CUDA: 11, CPU: 2}}, "2 nodes of its model ran on the CPU, allowed are 1"),
        ({"nodes": {CPU: 13}}, "no node of its model ran on one"),
        ({"providers": [CPU]}, "the execution providers of its session are CPUExecutionProvider"),
        ({"nodes": None}, "does not tell at '/nodes'"),
        ({"nodes": "twelve"}, "does not tell at '/nodes'"),
        ({"providers": CUDA}, "does not tell at '/providers'"),
    ],
)
def test_a_silent_run_on_the_cpu_is_refused(change, problem):
    with pytest.raises(TargetError, match="asked for a GPU, and") as raised:
        described({**ON_CUDA, **change}, "gpu", COUNTED)
    assert problem in str(raised.value)


def test_on_a_cpu_a_release_that_does_not_tell_is_none_the_worse():
    found = described({"provider": CPU}, "cpu", COUNTED)
    assert (found.execution_providers, found.nodes_by_provider) == (None, None)
    key = CREDENTIALS.key("default")
    found = described({"provider": CPU, "nodes": {f"x{key}": 1}, "providers": [key]}, "cpu", COUNTED)
    assert found.nodes_by_provider == {"x$GATE_KEY_DEFAULT": 1}
    assert found.execution_providers == ("$GATE_KEY_DEFAULT",)
