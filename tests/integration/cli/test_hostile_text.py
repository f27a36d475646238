"""Half a surrogate pair, which JSON allows and UTF-8 does not, in every answer: rejected, and reported."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.errors import ExitCode

HALF = b'"a\\ud800"'
OPENAPI = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {
        "/predict": {
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"type": "object", "default": "z"}}},
                },
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"enum": ["z"], "type": "string"}}}}
                },
            }
        }
    },
}
SCENARIO = """
[[scenario]]
id = "says-so"
title = "The answer says z"
[[scenario.steps]]
request = "predict"
expect = { status = 200, body = { "/y" = { equals = "z" } } }
"""
MORE = """
[service.metadata]
path = "/metadata"
name = "/name"
version = "/name"
execution_provider = "/name"

[contract]
openapi = "openapi.json"

[fuzz]
openapi = "openapi.json"
cases_per_operation = 5
budget_s = 30

[scenarios]
auth = ["says-so.toml"]
min_auth = 1

[scenarios.requests.predict]
path = "/predict"
body = { x = 1 }
"""


class Hostile(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        served = json.dumps(OPENAPI).encode().replace(b'"z"', HALF).replace(b'"title"', b'"\\ud801"')
        self.answer({"/ready": b"{}", "/openapi.json": served}.get(self.path, b'{"name": ' + HALF + b"}"))

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.answer(b'{"y": ' + HALF + b', "\\ud802": 1}')

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


@pytest.fixture
def hostile_url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_it_is_rejected_and_the_report_is_written(run_main, tiny_suite, hostile_url, tmp_path):
    config = tiny_suite(MORE, replace={'["golden"]': '["golden", "contract", "scenarios", "fuzz"]'})
    (config.parent / "openapi.json").write_text(json.dumps(OPENAPI))
    (config.parent / "says-so.toml").write_text(SCENARIO)
    result = run_main(
        *("run", "--config", config, "--candidate", hostile_url, "--reference", "none"),
        *("--out", tmp_path / "reports"),
        GATE_KEY_CALLER="sesame-of-the-caller",
    )
    assert result.returncode == ExitCode.REJECT, result.stderr
    (path,) = (tmp_path / "reports").glob("*.json")
    report = json.loads(path.read_text())
    assert report["candidate"]["model"]["name"] == r"a\ud800"
    outcomes = {check["id"]: check["outcome"] for check in report["checks"]}
    assert {name for name, outcome in outcomes.items() if outcome == "fail"} == {
        "contract.openapi",
        "golden.single",
        "scenarios.auth",
        "fuzz.schema",
    }
    assert "error" not in outcomes.values()
    assert run_main("judge", path).returncode == ExitCode.REJECT
