"""A suite whose service is a delay server that runs already."""

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from local_processes import first_line

SERVER = Path(__file__).parents[1] / "latency" / "delay_server.py"
SUITE = """
schema_version = 1
name = "delays"
[service]
port = 8000
ready_path = "/"
[auth]
keys = ["shop"]
[auth.credentials.shop]
headers = { X-API-Key = "${key.shop}" }
[latency]
warmup_requests = 5
[latency.request]
path = "/"
body = { question = 1 }
credential = "shop"
[latency.limits]
max_generator_lag_p99_ms = 5000
"""


@pytest.fixture
def suite(tmp_path):
    path = tmp_path / "gate.toml"
    path.write_text(SUITE)
    return path


@pytest.fixture
def delay_server():
    """Starts a server on an address of this machine; gives its URL."""

    @contextmanager
    def started(host="127.0.0.1", **wanted):
        command = [sys.executable, str(SERVER), json.dumps(wanted | {"host": host})]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            try:
                yield f"http://{host}:{int(first_line(process))}"
            finally:
                process.kill()

    return started
