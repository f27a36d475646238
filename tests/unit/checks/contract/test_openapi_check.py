"""The contract check over loopback: candidates that are sound, changed, broken, slow, hostile and dead."""

import copy
import json
import re
import subprocess
import threading
import time
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.checks.contract import fetch as fetching
from harness.checks.contract.fetch import Served, fetch
from harness.checks.contract.judging import MOST_FINDINGS, ContractEvidence
from harness.checks.contract.openapi_check import ContractOpenAPI
from harness.checks.contract.settings import ContractLimits, ContractSettings
from harness.checks.interface import CheckContext
from harness.config.policy import PolicySettings, Waiver
from harness.config.suite import parse_suite
from harness.credentials import Credentials
from harness.errors import ConfigError, TargetError
from harness.http_request import Request
from harness.judgement import conclude
from harness.model import Outcome, Scope, TargetDescription

CHECK = ContractOpenAPI()
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
served = "/v1/api.json"
credential = "caller"
timeout_s = 1.0
"""
STRING = {"type": "string"}
FROZEN = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {
        "/predict": {
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Out"}}}}
                },
                "security": [{"key": []}],
            }
        },
        "/last": {
            "get": {
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Out"}}}}
                }
            }
        },
    },
    "components": {
        "schemas": {
            "Out": {
                "type": "object",
                "properties": {"label": STRING, "note": STRING},
                "required": ["label"],
            }
        },
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Token"}},
    },
}


def changed(edit):
    document = copy.deepcopy(FROZEN)
    edit(document)
    return document


LABEL_GONE = changed(
    lambda d: d["components"]["schemas"]["Out"].update(properties={"note": STRING}, required=[])
)
NOTE_GONE = changed(lambda d: d["components"]["schemas"]["Out"]["properties"].pop("note"))
EXTRA = changed(lambda d: d["components"]["schemas"]["Out"]["properties"].update(extra=STRING))
HOLE = changed(lambda d: d["paths"]["/predict"]["post"].pop("security"))


class Candidate:
    """A loopback service that answers every GET with one status and body."""

    def __init__(self, body, status=200, *, drip_s=0.0, headers=None):
        candidate = self
        self.alive_now = True
        self.asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                candidate.asked.append((self.path, dict(self.headers)))
                if body is None:
                    return
                self.send_response(status)
                for name, value in (headers or {"Content-Length": str(len(body))}).items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    for start in range(0, len(body), 4096 if not drip_s else 1):
                        self.wfile.write(body[start : start + (4096 if not drip_s else 1)])
                        time.sleep(drip_s)
                except OSError:
                    return

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self._server.server_port}"
        self.description = TargetDescription(kind=Scope.URL, url=self.base_url)

    def __enter__(self):
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def alive(self):
        return self.alive_now

    def logs(self):
        return "what it wrote"


@pytest.fixture
def suite(tmp_path):
    (tmp_path / "openapi.json").write_text(json.dumps(FROZEN))
    return parse_suite(GATE, tmp_path / "gate.toml")


@pytest.fixture
def gate(suite, tmp_path):
    """Collects from a candidate, stores and loads the evidence, and judges it."""

    def run(candidate, limits=None):
        credentials = Credentials(suite.config.auth, {"GATE_KEY_DEFAULT": "s3cret-of-sixteen"})
        with candidate:
            context = CheckContext(
                candidate=candidate,
                reference=None,
                suite=suite,
                credentials=credentials,
                seed=1,
                folder=tmp_path,
            )
            evidence = CHECK.collect(context, suite.config.contract)
        evidence.save(tmp_path, credentials.redact)
        loaded = ContractEvidence.load(tmp_path)
        findings = CHECK.judge(loaded, limits or ContractLimits())
        assert findings == CHECK.judge(evidence, limits or ContractLimits())
        return evidence, findings

    return run


def outcomes(findings):
    """Rule or name, without the digits that tell one change from another, and outcome."""
    return [(finding.id.split(".")[2], finding.outcome.value) for finding in findings]


def test_a_sound_candidate_passes(gate):
    candidate = Candidate(json.dumps(FROZEN).encode())
    evidence, findings = gate(candidate)
    assert (evidence.expected, evidence.executed) == (2, 2)
    assert outcomes(findings) == [("breaking", "pass")]
    assert (findings[0].observed, findings[0].limit, findings[0].samples) == (0, 0, 2)
    [(path, headers)] = candidate.asked
    assert path == "/v1/api.json"
    assert headers["X-Token"] == "s3cret-of-sixteen"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (LABEL_GONE, [("response-property-removed", "fail"), ("major-version", "fail")]),
        (NOTE_GONE, [("response-optional-property-removed", "warn"), ("breaking", "pass")]),
        (EXTRA, [("breaking", "pass"), ("compatible", "pass"), ("response-property-added", "pass")]),
        (HOLE, [("security-requirement-removed", "fail"), ("major-version", "fail")]),
    ],
    ids=["breaking", "warning", "compatible", "hole"],
)
def test_changes_become_findings(gate, document, expected):
    evidence, findings = gate(Candidate(json.dumps(document).encode()))
    assert outcomes(findings) == expected
    assert evidence.executed == evidence.expected == 2


def test_a_breaking_change_says_what_where_and_how_to_see_it(gate):
    _, [finding, _] = gate(Candidate(json.dumps(LABEL_GONE).encode()))
    assert re.fullmatch(r"contract\.openapi\.response-property-removed\.[0-9a-f]{12}", finding.id)
    assert finding.message == (
        "GET /last, POST /predict: response property 'label': removed, was \"required\""
        " [response-property-removed] at /components/schemas/Out/properties/label"
    )
    assert (finding.observed, finding.limit) == (None, "required")
    assert finding.evidence == "contract.openapi/evidence.json"
    assert "$GATE_KEY_DEFAULT" in finding.reproduce
    assert "s3cret-of-sixteen" not in finding.model_dump_json()


def test_the_reproduce_command_fetches_the_document(gate, tmp_path):
    candidate = Candidate(json.dumps(FROZEN).encode())
    evidence, _ = gate(candidate)
    fetch_command, _, compare = evidence.reproduce.partition(" && ")
    with Candidate(json.dumps(FROZEN).encode()) as again:
        command = fetch_command.replace(candidate.base_url, again.base_url)
        subprocess.run(
            ["bash", "-c", command],
            check=True,
            cwd=tmp_path,
            env={"GATE_KEY_DEFAULT": "s3cret-of-sixteen", "PATH": "/usr/bin:/bin"},
            timeout=10,
        )
        assert again.asked[0][1]["X-Token"] == "s3cret-of-sixteen"
    assert json.loads((tmp_path / "served.json").read_text()) == FROZEN
    assert compare == f"harness contract diff {tmp_path / 'openapi.json'} served.json"


@pytest.mark.parametrize(
    ("candidate", "problem"),
    [
        (lambda: Candidate(b"gone", 404), "HTTP 404"),
        (lambda: Candidate(b"", 302, headers={"Location": "/openapi.json"}), "HTTP 302"),
        (lambda: Candidate(b"<html>"), "not JSON"),
        (lambda: Candidate(b"\xff\xfe"), "not JSON"),
        (lambda: Candidate(b""), "not JSON"),
        (lambda: Candidate(b"[" * 100_000), "nested too deep"),
        (lambda: Candidate(b"[]"), "allowed is an object"),
        (lambda: Candidate(b"{}"), "the key openapi"),
        (lambda: Candidate(json.dumps(FROZEN).replace('"3.1.0"', '"2.0"').encode()), "3.0.x or 3.1.x"),
        (
            lambda: Candidate(json.dumps(FROZEN).replace("#/comp", "https://x/#/comp").encode()),
            "into this document",
        ),
        (lambda: Candidate(None), "no answer"),
        (lambda: Candidate(b" " * 64, drip_s=0.2), "no answer: ReadTimeout: no whole answer within 1 s"),
        (lambda: Candidate(b"{}", headers={"Content-Length": "999"}), "no answer"),
    ],
    ids=[
        *("not-found", "redirect", "html", "not-utf8", "empty", "deep", "list", "object", "openapi-2"),
        *("remote-reference", "closed", "dripping", "truncated"),
    ],
)
def test_garbage_fails_and_says_what_was_seen(gate, candidate, problem):
    began = time.monotonic()
    _, findings = gate(candidate())
    assert time.monotonic() - began < 5
    assert outcomes(findings) == [("served", "fail")]
    assert problem in findings[0].message


def test_an_answer_beyond_the_cap_is_not_read():
    with Candidate(b" " * 100_000) as candidate:
        request = Request("GET", "/")
        assert fetch(candidate, request, timeout_s=5, most_bytes=50_000) == Served(
            status=200, text=" " * 50_000, problem="more than 50000 bytes"
        )
        assert fetch(candidate, request, timeout_s=5, most_bytes=100_000).problem == ""
    assert fetching.MAX_BYTES == 8 * 1024 * 1024


def test_a_candidate_that_died_is_the_runners_to_report():
    candidate = Candidate(None)
    candidate.alive_now = False
    with candidate, pytest.raises(TargetError) as caught:
        fetch(candidate, Request("GET", "/"), timeout_s=1)
    assert caught.value.logs == "what it wrote"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "no such file"),
        ("{", "not JSON"),
        ("{}", "found an object"),
        ('{"openapi": "3.1.0", "paths": {}}', "no operation"),
        ('{"openapi": "3.1.0", "paths": {"/p": {"get": {"responses": {"200": {"$ref": "#/x"}}}}}}', '"#/x"'),
    ],
)
def test_a_wrong_frozen_document_is_a_config_error(tmp_path, content, problem):
    if content is not None:
        (tmp_path / "openapi.json").write_text(content)
    suite = parse_suite(GATE, tmp_path / "gate.toml")
    with pytest.raises(ConfigError, match=problem):
        CHECK.verify_inputs(suite, suite.config.contract)


def test_a_sound_frozen_document_is_accepted(suite):
    CHECK.verify_inputs(suite, suite.config.contract)
    assert CHECK.applies(suite.config.contract)


def evidence_of(document, frozen=FROZEN):
    return ContractEvidence(
        expected=2,
        executed=2,
        frozen=json.dumps(frozen),
        served=Served(status=200, text=json.dumps(document)),
        reproduce="curl",
    )


def changes_of(evidence):
    """Ids of all findings but the one on the version."""
    findings = CHECK.judge(evidence, ContractLimits())
    return {finding.id for finding in findings} - {"contract.openapi.major-version"}


def concluded(evidence, *waived):
    """The result under waivers of these findings."""
    waivers = tuple(
        Waiver(finding=each, owner="ana", reason="known", expires=date(2026, 6, 1)) for each in waived
    )
    return conclude(
        CHECK,
        evidence,
        ContractSettings(openapi="openapi.json"),
        PolicySettings(waivers=waivers),
        required=True,
        duration_s=1.0,
        today=date(2026, 6, 1),
        reproduce="",
        evidence_files={},
    )


def versioned(document, version):
    return document | {"info": {"title": "t", "version": version}}


def test_a_severity_may_be_sharpened():
    warned = CHECK.judge(evidence_of(EXTRA), ContractLimits(severity={"response-property-added": "warning"}))
    assert outcomes(warned) == [("response-property-added", "warn"), ("breaking", "pass")]
    raised = CHECK.judge(evidence_of(EXTRA), ContractLimits(severity={"response-property-added": "error"}))
    assert outcomes(raised) == [("response-property-added", "fail"), ("major-version", "fail")]


def test_changes_of_one_rule_have_findings_of_their_own_and_keep_their_ids():
    names = ("a", "b", "c")
    frozen = changed(
        lambda d: d["components"]["schemas"]["Out"].update(
            properties=dict.fromkeys(names, STRING), required=list(names)
        )
    )

    def without(*gone):
        left = [name for name in names if name not in gone]
        document = changed(
            lambda d: d["components"]["schemas"]["Out"].update(
                properties=dict.fromkeys(left, STRING), required=left
            )
        )
        return changes_of(evidence_of(document, frozen))

    assert len(without(*names)) == len(names)
    assert without("a", "b") == without("a") | without("b")
    assert not without("a") & without("b")


def test_a_waiver_of_one_change_mutes_no_other():
    both = copy.deepcopy(LABEL_GONE)
    both["paths"]["/predict"]["post"].pop("requestBody")
    [label] = changes_of(evidence_of(LABEL_GONE))
    result = concluded(evidence_of(versioned(both, "2")), label)
    assert sorted(outcomes(result.findings)) == [
        ("major-version", "pass"),
        ("request-body-removed", "fail"),
        ("response-property-removed", "warn"),
    ]


def test_a_waived_breaking_change_passes_under_a_new_major_version():
    evidence = evidence_of(versioned(LABEL_GONE, "2.0.0"))
    [label] = changes_of(evidence)
    assert concluded(evidence).outcome is Outcome.FAIL
    assert concluded(evidence, label).outcome is Outcome.WARN


@pytest.mark.parametrize("version", ["1", "1.9", "0.1", "v1", "next", ""])
def test_without_one_it_fails_whatever_is_waived(version):
    evidence = evidence_of(versioned(LABEL_GONE, version))
    [label] = changes_of(evidence)
    result = concluded(evidence, label, "contract.openapi.major-version")
    assert outcomes(result.findings) == [("response-property-removed", "warn"), ("major-version", "fail")]
    assert result.outcome is Outcome.FAIL
    assert "the waiver by ana does not count" in result.findings[1].message


def test_a_compatible_change_needs_no_new_version():
    assert concluded(evidence_of(EXTRA)).outcome is Outcome.PASS


@pytest.mark.parametrize("security", [None, [{}], [{"key": []}, {"other": []}]])
def test_loosened_security_is_never_waived(security):
    loosened = versioned(copy.deepcopy(HOLE), "2")
    if security is not None:
        loosened["paths"]["/predict"]["post"]["security"] = security
    evidence = evidence_of(loosened)
    result = concluded(evidence, *changes_of(evidence))
    failed = [finding.id for finding in result.findings if finding.outcome is Outcome.FAIL]
    assert len(failed) == 1
    assert failed[0].startswith("contract.openapi.security-requirement-")


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        (
            {"severity": {"security-requirement-removed": "info"}},
            "is error and cannot become info; a waiver accepts one change of it",
        ),
        ({"severity": {"request-default-added": "info"}}, "is warning and cannot become info"),
        ({"severity": {"response-propertty-removed": "info"}}, "did you mean response-property-removed"),
        ({"severity": {"x": "info"}}, "no rule 'x'; one of security-requirement-removed, "),
        ({"severity": {"response-property-removed": "harmless"}}, "'error', 'warning' or 'info'"),
        ({"breaking": 1}, "breaking"),
    ],
)
def test_wrong_limits_are_refused(limits, problem):
    with pytest.raises(ValidationError, match=problem):
        ContractLimits.model_validate(limits)


def test_many_findings_are_capped_and_counted():
    paths = {f"/p{number}": {"get": {"responses": {}}} for number in range(MOST_FINDINGS + 7)}
    findings = CHECK.judge(evidence_of(FROZEN, FROZEN | {"paths": FROZEN["paths"] | paths}), ContractLimits())
    assert len(findings) == MOST_FINDINGS + 2
    assert findings[-2].message == "7 more changes of this kind"
    assert len({finding.id for finding in findings}) == len(findings)
    assert {finding.outcome for finding in findings} == {Outcome.FAIL}


def test_what_a_candidate_wrote_cannot_steer_the_terminal():
    hostile = changed(lambda d: d["paths"].update({"/\x1b[2J": {"get": {"operationId": "\n::error::"}}}))
    for finding in CHECK.judge(evidence_of(hostile), ContractLimits()):
        assert finding.message.isprintable()


def test_tampered_evidence_is_an_error_not_a_pass():
    [finding] = CHECK.judge(evidence_of(FROZEN, {"openapi": "1"}), ContractLimits())
    assert finding.outcome is Outcome.ERROR


@given(
    st.builds(Served, status=st.none() | st.integers(), text=st.text(), problem=st.sampled_from(["", "p"]))
    | st.builds(
        lambda value: Served(status=200, text=json.dumps(value)),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        ),
    )
)
def test_no_garbage_ever_passes_or_breaks_the_judge(served):
    evidence = evidence_of(FROZEN).model_copy(update={"served": served})
    findings = CHECK.judge(evidence, ContractLimits())
    assert [finding.outcome for finding in findings] == [Outcome.FAIL]
