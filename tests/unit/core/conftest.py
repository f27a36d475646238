import pytest

from harness.config.suite import parse_suite

GATE = """
schema_version = 1
name = "tiny"
[service]
port = 8000
ready_path = "/ready"
[policy]
required = ["golden"]
[golden]
path = "golden"
single = { path = "/p", body = "${input}" }
outputs = { y = { pointer = "/y", dtype = "float32" } }
[scenarios]
[latency]
rate_per_s = 50
"""


@pytest.fixture
def suite(tmp_path):
    return parse_suite(GATE, tmp_path / "gate.toml")
