"""Asking two services over loopback HTTP: what is read, what is no prediction, and mistakes of the suite."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness.checks.drift.predictions import DriftPredictions
from harness.config.suite import parse_suite
from harness.errors import ConfigError, InfrastructureError, TargetError
from harness.testing import FakeEndpoint, check_context

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
[drift]
traffic = "traffic.jsonl"
credential = "caller"
most_requests = 40
[drift.predictions.label]
pointer = "/label"
kind = "category"
[drift.predictions.score]
pointer = "/detail/score"
kind = "number"
[drift.slices.size]
pointer = "/x"
"""


class Server(ThreadingHTTPServer):
    """Takes all connections at once, however late its thread runs."""

    daemon_threads = True
    request_queue_size = 64


def right(x):
    return 200, {"label": "odd" if x % 2 else "even", "detail": {"score": x / 8}}


@pytest.fixture
def serve():
    """Starts services that answer a body by a function; gives endpoints."""
    servers = []

    def start(answer):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1  # an answer in one piece

            def do_POST(self):
                document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, content = answer(document["x"])
                body = json.dumps(content).encode()
                self.send_response(status if self.headers["X-Token"] else 401)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args):
                pass

        server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return FakeEndpoint(base_url=f"http://127.0.0.1:{server.server_port}")

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def suite(tmp_path):
    lines = [json.dumps({"path": "/predict", "body": {"x": x}}) for x in range(100)]
    (tmp_path / "traffic.jsonl").write_text("\n".join(lines))
    return parse_suite(GATE, tmp_path / "gate.toml")


@pytest.fixture
def compare(suite, tmp_path):
    """What the check sees of a reference and a candidate."""

    def collect(reference, candidate, seed=1):
        context = check_context(suite, tmp_path, seed=seed)
        object.__setattr__(context, "reference", reference)
        object.__setattr__(context, "candidate", candidate)
        return DriftPredictions().collect(context, suite.config.drift)

    return collect


def test_both_are_asked_the_same_seeded_sample(serve, compare):
    seen = compare(serve(right), serve(right))
    assert (seen.available, seen.expected, seen.executed) == (100, 40, 40)
    assert seen == compare(*[serve(right)] * 2)
    other = compare(*[serve(right)] * 2, seed=2)
    assert [each.id for each in other.requests] != [each.id for each in seen.requests]
    first = seen.requests[0]
    x = int(first.id.removeprefix("line ")) - 1
    assert first.slices == {"size": x}
    assert first.reference == first.candidate
    assert first.candidate.predictions == {"label": right(x)[1]["label"], "score": x / 8}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ((500, {"error": "oops"}), "HTTP 500"),
        ((200, {"label": "odd"}), "nothing at '/detail/score'"),
        ((200, {"label": "odd", "detail": {"score": "0.1"}}), "/detail/score: string instead of a number"),
        ((200, {"label": "odd", "detail": {"score": True}}), "boolean instead of a number"),
        ((200, {"label": 0.5, "detail": {"score": 1}}), "/label: number instead of a category"),
        ((200, {"label": None, "detail": {"score": 1}}), "/label: null instead of a category"),
        ((200, {"label": "x" * 300, "detail": {"score": 1}}), "a text of 300 characters"),
    ],
)
def test_what_is_no_prediction_says_why(serve, compare, answer, problem):
    seen = compare(serve(right), serve(lambda _x: answer))
    assert all(problem in each.candidate.problem for each in seen.requests)
    assert not any(each.reference.problem for each in seen.requests)


def test_a_candidate_that_died_and_a_reference_that_died_are_not_the_same(serve, compare):
    dead = FakeEndpoint(is_alive=False)
    with pytest.raises(TargetError):
        compare(serve(right), dead)
    with pytest.raises(InfrastructureError, match="the reference died"):
        compare(dead, serve(right))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda gate: gate.replace('traffic = "traffic.jsonl"\n', "").replace(
                'credential = "caller"\nmost', "most"
            ),
            r"drift.traffic: required",
        ),
        (lambda gate: gate.replace("traffic.jsonl", "none.jsonl"), r"drift.traffic: no such file"),
        (lambda gate: gate.replace("traffic.jsonl", "empty.jsonl"), r"empty.jsonl: has no request"),
        (lambda gate: gate.replace('traffic = "traffic.jsonl"\n', ""), r"credential is for recorded traffic"),
        (lambda gate: gate.replace("predictions.score", "predictions.answers"), r"cannot be named 'answers'"),
    ],
)
def test_mistakes_of_the_suite_are_found_before_anything_starts(tmp_path, suite, change, message):
    (tmp_path / "empty.jsonl").touch()

    def verify():
        changed = parse_suite(change(GATE), suite.path)
        DriftPredictions().verify_inputs(changed, changed.config.drift)

    with pytest.raises(ConfigError, match=message):
        verify()


def test_what_a_suite_leaves_out_is_told(suite):
    assert suite.config.drift.not_declared() == ()
    bare = suite.config.drift.model_copy(update={"traffic": None, "slices": {}})
    assert len(bare.not_declared()) == 2
