"""The document in which a service describes its model, against the recorded one."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from golden_evidence import PRODUCER, REQUEST
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.golden.header import Producer
from harness.checks.golden.limits import GoldenLimits
from harness.checks.golden.metadata import GoldenMetadata, MetadataEvidence, differences
from harness.config.suite import parse_suite
from harness.errors import ConfigError
from harness.model import Outcome
from harness.testing import check_context

RECORDED = {
    "name": "m",
    "version": "1.0.0",
    "classes": ["no", "yes"],
    "input": {"dtype": "float32", "shape": ["batch", 3], "scale": 1.0},
    "a/b": None,
}


def judged(observed, *ignored, problem=""):
    evidence = MetadataEvidence(
        expected=1,
        executed=1,
        producer=Producer.model_validate(PRODUCER),
        request=REQUEST,
        recorded=RECORDED,
        observed=observed,
        ignored=ignored,
        problem=problem,
    )
    findings = GoldenMetadata().judge(evidence, GoldenLimits())
    return {finding.id.removeprefix("golden.metadata."): finding for finding in findings}


def failed(found):
    return {name for name, finding in found.items() if finding.outcome is Outcome.FAIL}


def test_the_recorded_document_passes_member_by_member():
    found = judged(json.loads(json.dumps(RECORDED)))
    assert set(found) == {"answer", "/name", "/version", "/classes", "/input", "/a~1b", "members"}
    assert {finding.outcome for finding in found.values()} == {Outcome.PASS}


@pytest.mark.parametrize(
    ("change", "finding", "told"),
    [
        ({"name": "other"}, "/name", "/name is 'other', recorded is 'm'"),
        ({"classes": ["no", "maybe"]}, "/classes", "/classes/1 is 'maybe', recorded is 'yes'"),
        ({"classes": ["no"]}, "/classes", "/classes is ['no'], recorded is ['no', 'yes']"),
        (
            {"input": {"dtype": "float64", "shape": ["batch", 3], "scale": 1.0}},
            "/input",
            "/input/dtype is 'float64', recorded is 'float32'",
        ),
        ({"input": {"dtype": "float32", "shape": ["batch", 3]}}, "/input", "/input/scale is missing"),
        ({"input": {**RECORDED["input"], "more": 1}}, "/input", "/input/more is not recorded"),
        ({"input": {**RECORDED["input"], "scale": True}}, "/input", "/input/scale is True, recorded is 1.0"),
        ({"input": None}, "/input", "/input is None"),
        ({"a/b": "x"}, "/a~1b", "/a~1b is 'x', recorded is None"),
        ({"more": 1}, "members", "/more is not recorded"),
    ],
)
def test_a_change_fails_its_member_alone_and_is_told(change, finding, told):
    found = judged({**RECORDED, **change})
    assert failed(found) == {finding}
    assert told in found[finding].message
    assert (found[finding].observed, found[finding].limit) == (1, 0)
    assert "http://127.0.0.1:1/ask" in found[finding].reproduce


def test_a_member_that_is_missing_fails_too():
    observed = dict(RECORDED)
    del observed["name"]
    found = judged(observed)
    assert failed(found) == {"/name"}
    assert found["/name"].message == "/name is missing"


def test_a_number_may_be_written_otherwise():
    assert failed(judged({**RECORDED, "input": {**RECORDED["input"], "scale": 1}})) == set()


@pytest.mark.parametrize(
    ("change", "ignored"),
    [
        ({"version": "2.0.0"}, "/version"),
        ({"more": 1}, "/more"),
        ({"input": {**RECORDED["input"], "dtype": "x"}}, "/input/dtype"),
        ({"input": {**RECORDED["input"], "more": "x"}}, "/input/more"),
        ({"classes": ["no", "maybe"]}, "/classes/1"),
    ],
)
def test_what_is_ignored_may_differ(change, ignored):
    assert failed(judged({**RECORDED, **change})) != set()
    assert failed(judged({**RECORDED, **change}, ignored)) == set()


def test_many_differences_are_counted_and_the_first_are_told():
    found = judged({"name": "m"})
    assert failed(found) == {"/version", "/classes", "/input", "/a~1b"}
    whole = judged({**RECORDED, **{f"more{number}": 1 for number in range(9)}})["members"]
    assert whole.observed == 9
    assert whole.message.endswith("/more2 is not recorded; 6 more")


def test_no_document_fails_the_answer_alone():
    found = judged(None, problem="HTTP 500: oops")
    assert failed(found) == set(found) == {"answer"}
    assert found["answer"].message == "HTTP 500: oops"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(JSON, JSON)
def test_documents_differ_exactly_when_their_canonical_json_does(one, other):
    def canonical(value):
        match value:
            case bool() | None | str():
                return value
            case int() | float():
                return ("number", value)
            case list():
                return [canonical(item) for item in value]
            case _:
                return {name: canonical(item) for name, item in value.items()}

    assert list(differences(one, one, "", ())) == []
    assert (list(differences(one, other, "", ())) == []) == (canonical(one) == canonical(other))


# --- asked of a service


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.server.body
        self.send_response(200 if self.path == "/model" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


GATE = """\
schema_version = 1
name = "small"
[service]
port = 8000
ready_path = "/"
[golden]
path = "golden"
single = { path = "/one", body = "${input}" }
outputs = { v = { pointer = "/v", dtype = "float32" } }
metadata = { path = "/model", ignored = ["/version"] }
"""


@pytest.fixture
def suite(tmp_path):
    (tmp_path / "golden").mkdir()
    document = {"schema_version": 1, "producer": PRODUCER, "document": RECORDED}
    (tmp_path / "golden" / "metadata.json").write_text(json.dumps(document))
    return parse_suite(GATE, tmp_path / "gate.toml")


@pytest.fixture
def collected(suite):
    servers = []

    def collect(body):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.body = body
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        context = check_context(suite, suite.folder, base_url=f"http://127.0.0.1:{server.server_port}")
        return GoldenMetadata().collect(context, suite.config.golden)

    yield collect
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_document_is_asked_for(collected):
    evidence = collected(json.dumps({**RECORDED, "version": "2"}).encode())
    assert (evidence.expected, evidence.executed) == (1, 1)
    assert evidence.observed["version"] == "2"
    assert evidence.producer.name == "p"
    assert evidence.request.method == "GET"
    findings = GoldenMetadata().judge(evidence, GoldenLimits())
    assert {finding.outcome for finding in findings} == {Outcome.PASS}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"[1]", "array instead of an object"),
        (b"{", "not JSON"),
        (json.dumps({**RECORDED, "more": "x" * 4000}).encode(), "more than 4 times as long"),
    ],
)
def test_what_is_no_such_document_is_a_problem(collected, body, problem):
    evidence = collected(body)
    assert problem in evidence.problem
    assert evidence.observed is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "no such file"),
        ("{", "cannot be read"),
        ("{}", "schema_version"),
        (json.dumps({"schema_version": 1, "producer": PRODUCER, "document": {}}), "document"),
        (json.dumps({"schema_version": 1, "document": {"a": 1}}), "producer"),
    ],
)
def test_a_recorded_document_that_is_wrong_is_named(suite, text, problem):
    file = suite.folder / "golden" / "metadata.json"
    file.unlink() if text is None else file.write_text(text)
    with pytest.raises(ConfigError, match=problem):
        GoldenMetadata().verify_inputs(suite, suite.config.golden)
