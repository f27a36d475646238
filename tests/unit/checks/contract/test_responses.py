"""``contract.responses`` against a small service over loopback."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.checks.contract.responses import ContractResponses
from harness.checks.contract.responses_evidence import ResponsesEvidence
from harness.config.suite import parse_suite
from harness.errors import ConfigError, TargetError
from harness.testing import check_context

CHECK = ContractResponses()
GATE = """\
schema_version = 1
name = "small"
[service]
port = 8000
ready_path = "/"
[auth]
keys = ["default"]
[auth.credentials.caller]
headers = { X-Token = "${key.default}" }
[contract]
openapi = "openapi.json"
[contract.responses]
valid = [{ path = "/score", credential = "caller", body = { row = 1 } }]
provoke = [
  { status = 401, anonymous = true },
  { status = 413, padding_bytes = 2000 },
  { status = 429, times = 9 },
]
"""
MEDIA = {"content": {"application/json": {"schema": {"required": ["code"]}}}}
DOCUMENT = {
    "openapi": "3.1.0",
    "paths": {"/score": {"post": {"responses": dict.fromkeys(("200", "401", "413", "429"), MEDIA)}}},
}


class Handler(BaseHTTPRequestHandler):
    """Answers three requests of a caller, and 429 from then on."""

    def do_GET(self):
        self.reply(200, DOCUMENT)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if len(body) > 1000:
            self.reply(413, {"code": "large"})
        elif "X-Token" not in self.headers:
            self.reply(401, {"code": "who"})
        else:
            self.server.served += 1
            self.reply(200 if self.server.served <= 3 else 429, {"code": "c"})

    def reply(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def service():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.served = 0
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def suite(tmp_path):
    (tmp_path / "openapi.json").write_text(json.dumps(DOCUMENT))
    return parse_suite(GATE, tmp_path / "gate.toml")


def test_every_status_is_provoked_and_the_evidence_is_judged_again(suite, service, tmp_path):
    context = check_context(suite, tmp_path, base_url=service)
    CHECK.verify_inputs(suite, suite.config.contract)
    evidence = CHECK.collect(context, suite.config.contract)
    assert (evidence.expected, evidence.executed) == (4, 4)
    assert [each.status for each in evidence.exchanges] == [200, 401, 413, 200, 200, 429]
    evidence.save(tmp_path, context.credentials.redact)
    loaded = ResponsesEvidence.load(tmp_path)
    [finding] = CHECK.judge(loaded, suite.config.contract.limits)
    assert (finding.id, finding.outcome) == ("contract.responses.documented", "pass")
    assert "$GATE_KEY_DEFAULT" in loaded.exchanges[0].reproduce
    assert context.credentials.key("default") not in (tmp_path / "evidence.json").read_text()


def test_it_applies_where_requests_are_declared(suite):
    contract = suite.config.contract
    assert CHECK.applies(contract)
    assert contract.not_declared() == ("contract.manifest: the manifest's model version, inputs and outputs",)
    without = contract.model_copy(update={"responses": None})
    assert not CHECK.applies(without)
    assert "contract.responses: requests to the documented operations" in without.not_declared()


def test_a_suite_that_does_not_fit_its_document_is_refused(suite, tmp_path):
    more = json.loads(json.dumps(DOCUMENT).replace('"429"', '"418"'))
    (tmp_path / "openapi.json").write_text(json.dumps(more))
    with pytest.raises(ConfigError, match="documents 418, which no request provokes") as caught:
        CHECK.verify_inputs(suite, suite.config.contract)
    assert "contract.responses.unreachable" in str(caught.value)


def test_a_candidate_that_is_gone(suite, tmp_path):
    context = check_context(suite, tmp_path)
    evidence = CHECK.collect(context, suite.config.contract)
    assert evidence.executed == 0
    found = {finding.id.split(".")[2] for finding in CHECK.judge(evidence, suite.config.contract.limits)}
    assert found == {"unanswered", "unseen"}
    context.candidate.is_alive = False
    with pytest.raises(TargetError):
        CHECK.collect(context, suite.config.contract)


def test_a_candidate_that_answers_nothing_is_not_asked_for_ever(suite, tmp_path, monkeypatch):
    monkeypatch.setattr("harness.checks.patience.MOST_UNANSWERED", 2)
    evidence = CHECK.collect(check_context(suite, tmp_path), suite.config.contract)
    assert (evidence.expected, evidence.executed, len(evidence.exchanges)) == (4, 0, 2)
    findings = CHECK.judge(evidence, suite.config.contract.limits)
    assert {finding.outcome for finding in findings} == {"fail"}
    assert sum(".unseen." in finding.id for finding in findings) == 2  # of those that were asked


def test_answers_are_kept_up_to_a_size_together(suite, service, tmp_path, monkeypatch):
    monkeypatch.setattr("harness.checks.contract.responses.MOST_KEPT_CHARACTERS", 25)
    evidence = CHECK.collect(check_context(suite, tmp_path, base_url=service), suite.config.contract)
    assert evidence.executed == 4
    assert [bool(each.body) for each in evidence.exchanges] == [True, False, False, False, False, False]
    told = [finding.message for finding in CHECK.judge(evidence, suite.config.contract.limits)]
    assert any("more than 25 characters in all answers together" in each for each in told)
