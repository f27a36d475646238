"""``contract.manifest`` asks a small service over loopback."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.checks.contract.manifest import ContractManifest
from harness.checks.contract.manifest_evidence import ManifestEvidence
from harness.config.suite import parse_suite
from harness.errors import ConfigError, TargetError
from harness.model import Outcome
from harness.testing import check_context

CHECK = ContractManifest()
GATE = """\
schema_version = 1
name = "small"
[service]
port = 8000
ready_path = "/"
[service.metadata]
path = "/model"
name = "/name"
version = "/version"
[golden]
path = "golden"
single = { path = "/one", body = { row = "${input}" } }
batch = { path = "/many", body = { rows = "${inputs}" }, items = "/items", size = 2 }
outputs = { p = { pointer = "/p", dtype = "float32" } }
[contract]
openapi = "openapi.json"
[contract.manifest]
single = "/version"
batch = "/version"
cases = 3
inputs = { row = { pointer = "/row", dtype = "/in/dtype", shape = "/in/shape" } }
outputs = { p = { pointer = "/p", dtype = "/out/dtype", shape = "/out/shape" } }
"""
HEADER = """\
schema_version = 1
[producer]
name = "p"
version = "1"
kind = "script"
date = 2026-01-01
environment = "e"
[model]
name = "m"
version = "1.0.0"
sha256 = "{digest}"
[dataset]
name = "d"
sha256 = "{digest}"
[cases]
file = "cases.jsonl"
sha256 = "{digest}"
count = 4
"""
MANIFEST = {
    "name": "m",
    "version": "1.0.0",
    "in": {"dtype": "float32", "shape": ["batch", 2]},
    "out": {"dtype": "float32", "shape": ["batch"]},
}
ITEM = {"type": "object", "properties": {"p": {"type": "number"}}}


def answering(**properties):
    schema = {
        "type": "object",
        "properties": {"version": {"type": "string"}, **properties},
        "required": ["version"],
    }
    return {"200": {"content": {"application/json": {"schema": schema}}}}


def taking(**properties):
    return {"content": {"application/json": {"schema": {"type": "object", "properties": properties}}}}


ROW = {"type": "array", "items": {"type": "number"}}
DOCUMENT = {
    "openapi": "3.1.0",
    "paths": {
        "/one": {"post": {"requestBody": taking(row=ROW), "responses": answering(p={"type": "number"})}},
        "/many": {"post": {"responses": answering(items={"type": "array", "items": ITEM})}},
    },
}


class Handler(BaseHTTPRequestHandler):
    """Tells the truth but where the server is told to lie."""

    def do_GET(self):
        self.reply(MANIFEST)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "row" in body:
            self.reply({"version": "1.0.0", "p": 0.5})
        else:
            self.reply({"version": self.server.batch_version, "items": [{"p": 0.5} for _ in body["rows"]]})

    def reply(self, content):
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.batch_version = "1.0.0"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def suite(tmp_path):
    cases = "".join(
        json.dumps({"id": f"row-{number}", "input": [number, 1.5], "expected": {"p": 0.5}}) + "\n"
        for number in range(4)
    )
    (tmp_path / "golden").mkdir()
    (tmp_path / "golden" / "cases.jsonl").write_text(cases)
    digest = hashlib.sha256(cases.encode()).hexdigest()
    (tmp_path / "golden" / "golden.toml").write_text(HEADER.replace("{digest}", digest))
    (tmp_path / "openapi.json").write_text(json.dumps(DOCUMENT))
    return parse_suite(GATE, tmp_path / "gate.toml")


def failed(evidence, suite):
    findings = CHECK.judge(evidence, suite.config.contract.limits)
    return {finding.id for finding in findings if finding.outcome is Outcome.FAIL}


def test_it_asks_for_the_manifest_and_some_golden_inputs(suite, server, tmp_path):
    CHECK.verify_inputs(suite, suite.config.contract)
    context = check_context(suite, tmp_path, base_url=f"http://127.0.0.1:{server.server_port}")
    evidence = CHECK.collect(context, suite.config.contract)
    assert (evidence.expected, evidence.executed) == (3 + 2, 3 + 2)
    assert [each.asked for each in evidence.batch.answers] == ["row-0 to row-1", "row-2 to row-2"]
    assert [len(each.items) for each in evidence.batch.answers] == [2, 1]
    assert evidence.sent["row-1"] == {"row": [1, 1.5]}
    evidence.save(tmp_path, context.credentials.redact)
    assert failed(ManifestEvidence.load(tmp_path), suite) == set()


def test_a_batch_of_another_version_is_told(suite, server, tmp_path):
    server.batch_version = "0.9.0"
    context = check_context(suite, tmp_path, base_url=f"http://127.0.0.1:{server.server_port}")
    evidence = CHECK.collect(context, suite.config.contract)
    assert failed(evidence, suite) == {"contract.manifest.version.batch"}


def test_a_candidate_that_is_gone(suite, tmp_path):
    context = check_context(suite, tmp_path)
    evidence = CHECK.collect(context, suite.config.contract)
    assert evidence.executed == 0
    assert failed(evidence, suite) == {"contract.manifest.served"}
    context.candidate.is_alive = False
    with pytest.raises(TargetError):
        CHECK.collect(context, suite.config.contract)


@pytest.mark.parametrize(
    ("cut", "problem"),
    [
        ('version = "/version"\n[golden]', "name and version"),
        ("[golden]", "there is no"),
        ("/one", "is not in the frozen document"),
    ],
)
def test_a_suite_that_lacks_what_it_needs_is_refused(suite, cut, problem):
    text = GATE
    if cut == "[golden]":
        text = GATE.partition("[golden]")[0] + "[contract]" + GATE.partition("[contract]")[2]
    elif cut == "/one":
        text = GATE.replace("/one", "/other")
    else:
        text = GATE.replace(cut, "[golden]")
    smaller = parse_suite(text, suite.path)
    with pytest.raises(ConfigError, match=problem):
        CHECK.verify_inputs(smaller, smaller.config.contract)
