"""Traces, as a collector gets them: a stub that speaks OTLP over HTTP and decodes what comes."""

import http.server
import json
import socket
import subprocess
import sys
import threading
import time
from collections import ChainMap
from dataclasses import dataclass, field

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from pydantic import ValidationError

from reference_service.settings import Settings
from reference_service.telemetry.logs import JsonFormatter

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@dataclass
class Collector:
    """What came, as it came and decoded."""

    port: int = 0
    paths: list[str] = field(default_factory=list)
    raw: bytes = b""
    resources: list = field(default_factory=list)
    spans: list = field(default_factory=list)

    def take(self, path, content):
        self.paths.append(path)
        self.raw += content
        for each in ExportTraceServiceRequest.FromString(content).resource_spans:
            self.resources.append(attributes(each.resource))
            self.spans += [span for scope in each.scope_spans for span in scope.spans]

    def span(self, name):
        [found] = [span for span in self.spans if span.name == name]
        return found


def attributes(owner):
    """Key and value of each attribute."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in owner.attributes}


@pytest.fixture
def collector(monkeypatch):
    """A collector, named in the environment."""
    collected = Collector()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            collected.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        collected.port = server.server_port
        monkeypatch.setenv(ENDPOINT, f"http://127.0.0.1:{server.server_port}")
        yield collected
        server.shutdown()


@pytest.fixture
def traced(request, serve):
    """A client of a service with that collector, and how to end the service, which sends what is left."""
    request.getfixturevalue("collector")  # before the settings, which read the environment
    client = serve(request.getfixturevalue("settings"))
    client.headers["X-API-Key"] = "good-key"

    def end():
        client.__exit__(None, None, None)
        client.__enter__()  # so that the fixture can end it again

    return client, end


def test_a_prediction_is_a_span_in_the_trace_of_its_caller(traced, collector, features, manifest):
    client, end = traced
    answer = client.post(
        "/predict/batch?secret=in-query",
        json={"instances": [features | {"mean_radius": 12345.678}] * 3},
        headers={"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=1"},
    )
    end()
    assert set(collector.paths) == {"/v1/traces"}
    server, inference = collector.span("POST /predict/batch"), collector.span("inference")
    assert server.kind == Span.SPAN_KIND_SERVER
    assert (server.trace_id.hex(), server.parent_span_id.hex()) == (TRACE, PARENT)
    assert server.trace_state == "vendor=1"
    assert attributes(server) == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.route": "/predict/batch",
        "network.protocol.version": "1.1",
        "request.id": answer.headers["x-request-id"],
        "url.path": "/predict/batch",
        "url.scheme": "http",
    }
    assert (inference.trace_id, inference.parent_span_id) == (server.trace_id, server.span_id)
    assert attributes(inference)["inference.rows"] == 3
    begun, ended = inference.start_time_unix_nano, inference.end_time_unix_nano
    assert server.start_time_unix_nano <= begun < ended <= server.end_time_unix_nano
    assert abs(begun / 1e9 - time.time()) < 60
    about = ChainMap(*collector.resources)
    assert about["service.name"] == "reference-service"
    assert about["model.version"] == manifest["version"]
    assert about["deployment.id"] == "default"
    for secret in (b"good-key", b"in-query", b"12345.678", b"mean_radius"):
        assert secret not in collector.raw


def test_the_trace_is_in_the_log(traced, features, caplog):
    client, _ = traced
    caplog.set_level("INFO", logger="reference_service")
    client.post("/predict", json={"features": features}, headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})
    client.post("/predict", json={"features": features})
    lines = [json.loads(JsonFormatter().format(each)) for each in caplog.records if each.message == "request"]
    assert lines[0]["trace_id"] == TRACE
    assert len(lines[1]["trace_id"]) == 32
    assert lines[1]["trace_id"] != TRACE


def test_what_goes_wrong_is_told(traced, collector, features, monkeypatch):
    client, end = traced
    client.post("/predict", json={})
    client.get("/no/such/path")
    client.request("BREW", "/metadata")
    with monkeypatch.context() as patch:
        patch.setattr("reference_service.model.inference.Model.predict", lambda *_: 1 / 0)
        client.post("/predict/batch", json={"instances": [features]})
    end()
    refused, failed = collector.span("POST /predict"), collector.span("POST /predict/batch")
    assert attributes(refused)["http.response.status_code"] == 400
    assert attributes(refused)["error.type"] == "missing_field"
    assert refused.status.code == Status.STATUS_CODE_UNSET  # the client's fault is none of the server's
    assert attributes(failed)["http.response.status_code"] == 500
    assert failed.status.code == Status.STATUS_CODE_ERROR
    assert "http.route" not in attributes(collector.span("GET"))
    brewed = attributes(collector.span("HTTP /metadata"))
    assert (brewed["http.request.method"], brewed["http.response.status_code"]) == ("_OTHER", 405)


def test_a_caller_decides_whether_its_trace_is_kept(traced, collector):
    client, end = traced
    client.get("/metadata", headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})
    end()
    assert not collector.spans


@pytest.mark.parametrize(
    "wrong", ["", "x", f"00-{'0' * 32}-{PARENT}-01", f"ff-{TRACE}-{PARENT}-01", "00-é-1-01"]
)
def test_a_wrong_traceparent_begins_a_new_trace(traced, collector, wrong):
    client, end = traced
    client.get("/metadata", headers={"traceparent": wrong.encode()})
    end()
    span = collector.span("GET /metadata")
    assert span.parent_span_id == b""
    assert span.trace_id.hex() != TRACE


def test_probes_and_scrapes_are_not_traced(traced, collector):
    client, end = traced
    for path in ("/health", "/ready", "/metrics"):
        assert client.get(path).status_code == 200
    end()
    assert not collector.spans


def test_the_operators_variables_hold(monkeypatch, request, collector, serve):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "tumours")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    client = serve(request.getfixturevalue("settings"))
    client.get("/metadata")
    deadline = time.monotonic() + 10
    while not collector.spans:  # in the background, long before the end
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert collector.resources[0]["service.name"] == "tumours"
    assert collector.resources[0]["deployment.environment.name"] == "test"


@pytest.mark.parametrize("listening", [False, True], ids=["refuses", "never answers"])
def test_a_collector_that_is_down_harms_nobody(monkeypatch, request, serve, features, listening):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if listening:
            silent.listen()
        monkeypatch.setenv(ENDPOINT, f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
        client = serve(request.getfixturevalue("settings"))
        client.headers["X-API-Key"] = "good-key"
        slowest = 0.0
        for _ in range(50):
            begun = time.monotonic()
            assert client.post("/predict", json={"features": features}).status_code == 200
            slowest = max(slowest, time.monotonic() - begun)
        assert slowest < 1
        begun = time.monotonic()
        client.__exit__(None, None, None)
        assert time.monotonic() - begun < 6
        monkeypatch.delenv(ENDPOINT)
        client.__enter__()


def test_nothing_of_it_is_loaded_unless_asked_for():
    # The interfaces of opentelemetry-api come with FastAPI; what takes time is the rest.
    script = (
        "import sys, reference_service.server.serve\n"
        "print([name for name in sys.modules if 'opentelemetry.sdk' in name or 'google.protobuf' in name])"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert finished.stdout == "[]\n"


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({ENDPOINT: "collector:4318"}, ENDPOINT),
        ({ENDPOINT: "http://"}, ENDPOINT),
        (
            {ENDPOINT: "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc'",
        ),
    ],
)
def test_an_endpoint_that_cannot_work_is_refused(monkeypatch, variables, problem):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=problem):
        Settings()


def test_a_protocol_without_endpoint_is_nobodys_concern(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    assert Settings().otlp_endpoint is None
