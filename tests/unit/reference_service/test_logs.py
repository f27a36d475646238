"""What the log says of a request and what it never says, and that writing it holds nobody up."""

import hashlib
import hmac
import io
import json
import logging
import os
import select
import time
from collections import deque
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_service.errors import KeyFileError
from reference_service.telemetry import logs
from reference_service.telemetry.input_hash import InputHash, read_key
from reference_service.telemetry.logs import BackgroundHandler, JsonFormatter, next_chunk
from reference_service.telemetry.shared import sharing


@pytest.fixture
def log():
    """What the service logs during a test, as text."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("reference_service")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(level)


def logged_requests(log):
    entries = [json.loads(line) for line in log.getvalue().splitlines()]
    return [entry for entry in entries if entry["message"] == "request"]


def test_the_id_of_every_answer_is_in_the_log(client, features, log):
    mine = {"request_id": "mine\n1"}
    named = client.post("/predict", json={"features": features, **mine})
    batch = client.post("/predict/batch", json={"instances": [features], **mine})
    refused = client.post("/predict", json={"features": features, "model_version": "9.9.9", **mine})
    unnamed = client.post("/predict", json={"features": features})
    entries = logged_requests(log)
    for answer, entry in zip((named, batch, refused, unnamed), entries, strict=True):
        assert entry["request_id"] == answer.headers["x-request-id"]
    assert [entry.get("client_request_id") for entry in entries] == ["mine\n1"] * 3 + [None]
    assert named.json()["request_id"] == batch.json()["request_id"] == "mine\n1"
    assert refused.json()["error"]["request_id"] == refused.headers["x-request-id"]
    assert unnamed.json()["request_id"] == unnamed.headers["x-request-id"]


def test_logs_are_json_lines_without_features_or_secrets(client, features, signer, log):
    token = signer.token()
    client.post("/predict", json={"features": {**features, "mean_radius": 12345.678}})
    client.get("/metadata?secret=in-query", headers={"Authorization": f"Bearer {token}"})
    client.get("/metadata", headers={"X-API-Key": "attempted-key"})
    requests = logged_requests(log)
    assert [entry["status"] for entry in requests] == [200, 200, 401]
    assert all(entry["request_id"] and entry["duration_ms"] > 0 for entry in requests)
    for secret in ("good-key", "attempted-key", token, "12345.678", "in-query"):
        assert secret not in log.getvalue()


def write_key(path, secret, **entry):
    digest = hashlib.sha256(secret.encode()).hexdigest()
    path.write_text(
        json.dumps({"keys": [{"sha256": digest, "scopes": ["metadata"], **entry}]}), encoding="utf-8"
    )


def test_who_asked_is_told_and_never_by_the_key(serve, settings, signer, log):
    write_key(settings.api_keys_file, "the-key", id="shop-2026", client="shop")
    client = serve(settings)
    long = {"Authorization": f"Bearer {signer.token(sub='x' * 1000)}"}
    for headers in ({"X-API-Key": "the-key"}, {"Authorization": f"Bearer {signer.token()}"}, long, {}):
        client.get("/metadata", headers=headers)
    told = [(entry.get("client"), entry.get("key_id")) for entry in logged_requests(log)]
    assert told[:2] == [("key:shop", "shop-2026"), (f"subject:{signer.claims()['sub']}", "k1")]
    assert len(told[2][0]) == 200
    assert told[3] == (None, None)
    assert "the-key" not in log.getvalue()


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"X-API-Key": "old"}, {"level": "warning", "reason": "revoked", "key_id": "shop-2025"}),
        ({"X-API-Key": "guess"}, {"level": "info", "reason": "no such API key"}),
        ({"Authorization": "Bearer guess"}, {"level": "info", "reason": "DecodeError"}),
        ({"Authorization": "Basic guess"}, {"level": "info", "reason": "not one bearer token"}),
    ],
)
def test_a_refused_credential_is_told_with_the_id_of_its_answer(serve, settings, log, headers, told):
    write_key(settings.api_keys_file, "old", id="shop-2025", revoked=True)
    answer = serve(settings).get("/metadata", headers=headers)
    assert answer.status_code == 401
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    [line] = [line for line in lines if line["message"] == "credential refused"]
    assert line["request_id"] == answer.headers["x-request-id"]
    assert {name: line.get(name) for name in told} == told
    assert ("key_id" in line) == ("key_id" in told)
    assert "guess" not in log.getvalue()


def test_a_missing_credential_is_no_refused_one(anonymous, log):
    assert anonymous.get("/metadata").status_code == 401
    assert "credential refused" not in log.getvalue()


def test_the_lines_of_a_worker_name_it():
    record = logging.LogRecord("x", logging.INFO, "", 0, "said", (), None)
    assert json.loads(JsonFormatter(pid=17).format(record))["pid"] == 17
    assert "pid" not in json.loads(JsonFormatter().format(record))


def test_a_line_that_cannot_be_written_harms_neither_its_caller_nor_other_lines(capsys):
    stream = io.StringIO()
    handler = BackgroundHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.Logger("careless")  # noqa: LOG001  # one of its own, with no other handler
    logger.addHandler(handler)
    logger.info("%d rows", "many")
    logger.info("%d rows", 3)
    handler.close()
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["3 rows"]
    assert "%d rows" in capsys.readouterr().err


def test_a_traceback_is_one_line():
    error = ValueError("first\nsecond")
    record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), (type(error), error, None))
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert "second" in json.loads(line)["traceback"]


def test_a_prediction_is_told_with_its_latencies_and_no_more(client, features, manifest, log):
    client.post("/predict/batch", json={"instances": [features] * 3})
    [entry] = logged_requests(log)
    assert entry.keys() == {
        *("time", "level", "logger", "message", "request_id", "method", "path", "status", "duration_ms"),
        *(
            "client",
            "key_id",
            "rows",
            "input_hash",
            "parse_ms",
            "queue_ms",
            "inference_ms",
            "model_version",
            "deployment_id",
        ),
    }
    assert entry["rows"] == 3
    assert entry["model_version"] == manifest["version"]
    assert entry["deployment_id"] == "default"
    parts = [entry[name] for name in ("parse_ms", "queue_ms", "inference_ms")]
    assert all(part >= 0 for part in parts)
    assert 0 < sum(parts) < entry["duration_ms"]


def test_a_refusal_is_told_with_its_code(client, anonymous, features, log):
    client.post("/predict", json={"features": features | {"mean_radius": "much"}})
    anonymous.post("/predict", json={"features": features})
    anonymous.get("/nowhere")
    entries = logged_requests(log)
    assert [entry["error_code"] for entry in entries] == [
        "invalid_value",
        "missing_credentials",
        "not_found",
    ]
    assert all("inference_ms" not in entry and "rows" not in entry for entry in entries)


def test_an_unexpected_failure_is_told_with_its_code(client, features, log, monkeypatch):
    monkeypatch.setattr("reference_service.model.inference.Model.predict", lambda *_: 1 / 0)
    client.post("/predict", json={"features": features})
    [entry] = logged_requests(log)
    assert (entry["status"], entry["error_code"]) == (500, "internal_error")


def test_the_same_rows_have_the_same_hash_however_they_are_written(client, features, log):
    features["mean_radius"] = 14.0
    as_integer = json.dumps({"features": dict(reversed(features.items()))}).replace("14.0", "14")
    client.post("/predict", json={"features": features, "request_id": "one"})
    client.post("/predict", content=as_integer, headers={"Content-Type": "application/json"})
    client.post("/predict/batch", json={"instances": [features]})
    client.post("/predict", json={"features": features | {"mean_radius": 14.5}})
    *same, other = [entry["input_hash"] for entry in logged_requests(log)]
    assert len(set(same)) == 1
    assert other not in same


def test_a_hash_is_an_hmac_that_only_the_key_explains():
    values = np.asarray([[1.5, 2.5]], dtype=np.float32)
    digest = InputHash(b"k" * 32)(values)
    assert digest == hmac.new(b"k" * 32, values.tobytes(), hashlib.sha256).hexdigest()[:32]
    assert digest != InputHash(b"l" * 32)(values)
    assert digest not in hashlib.sha256(values.tobytes()).hexdigest()


def test_where_the_key_comes_from(tmp_path):
    path = tmp_path / "hash.key"
    path.write_bytes(b"0123456789abcdef\n")
    assert read_key(path) == b"0123456789abcdef"
    assert read_key(None) != read_key(None)
    with sharing():
        assert read_key(None) == read_key(None)
    path.write_bytes(b"short\n")
    with pytest.raises(KeyFileError, match=r"hash\.key: a key has at least 16 bytes") as refusal:
        read_key(path)
    assert "short" not in str(refusal.value)
    with pytest.raises(KeyFileError, match=r"absent\.key: No such file"):
        read_key(tmp_path / "absent.key")


HOSTILE = st.text(st.characters(codec="utf-8"), max_size=50) | st.sampled_from(
    ["\r\n{}", '"}\n{"level":"critical"', "\x1b[2J", "\u2028\u0085", "\x00", "\ud800"]
)


@given(HOSTILE, HOSTILE)
def test_no_value_ends_its_line_or_reaches_a_terminal(message, value):
    record = logging.LogRecord("x", logging.INFO, "", 0, "%s", (message,), None)
    record.fields = {"client_request_id": value}
    line = JsonFormatter().format(record)
    assert line.isascii()
    assert line.isprintable()
    entry = json.loads(line)
    assert (entry["message"], entry["client_request_id"]) == (message, value)


def test_hostile_paths_and_ids_stay_in_their_fields(client, features, log):
    client.get("/%0a%7b%22level%22:%22critical%22%7d%1b[2J")
    client.post("/predict", json={"features": features, "request_id": '"}\n{"level":"critical"}'})
    client.get("/metadata", headers={"X-Request-ID": 'a"}{"level":"critical'})
    lines = log.getvalue().splitlines()
    assert len(lines) == len(logged_requests(log)) == 3
    assert all(line.isprintable() and json.loads(line)["level"] == "info" for line in lines)


@pytest.fixture
def pipe():
    """A logger that writes into a pipe, and the end of it that nobody reads until the test does."""
    reading, writing = os.pipe()
    with (
        suppress(BrokenPipeError),
        os.fdopen(reading),
        os.fdopen(writing, "w", encoding="ascii") as stream,
    ):
        handler = BackgroundHandler(stream)
        handler.setFormatter(JsonFormatter())
        logger = logging.getLogger("piped")
        logger.propagate = False
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        yield logger, reading
        logger.removeHandler(handler)


def messages_of(reading, last):
    """Read lines until one has this message."""
    text = ""
    deadline = time.monotonic() + 10
    while not text.endswith("\n") or f'"{last}"' not in text:
        assert time.monotonic() < deadline
        if select.select([reading], [], [], 0.1)[0]:
            text += os.read(reading, 65536).decode()
    return [json.loads(line) for line in text.splitlines()]


def test_a_reader_that_stalls_holds_nobody_up(pipe, monkeypatch):
    monkeypatch.setattr(logs, "MAX_WAITING_LINES", 2000)
    logger, reading = pipe
    slowest = 0.0
    for number in range(10_000):  # a pipe takes 64 KiB
        begun = time.perf_counter()
        logger.info("line %d", number)
        slowest = max(slowest, time.perf_counter() - begun)
    assert slowest < 1
    before = messages_of(reading, "line 1000")
    logger.info("there is room again")
    entries = before + messages_of(reading, "there is room again")
    dropped = sum(entry.get("dropped", 0) for entry in entries)
    assert dropped > 5000
    assert dropped + sum(entry["message"].startswith("line ") for entry in entries) == 10_000


def test_lines_come_in_order_and_at_once_when_asked(pipe):
    logger, reading = pipe
    for number in range(100):
        logger.info("line %d", number)
    logger.handlers[0].flush()
    entries = messages_of(reading, "line 99")
    assert [entry["message"] for entry in entries] == [f"line {number}" for number in range(100)]


def test_a_reader_that_is_gone_is_no_error(pipe):
    logger, reading = pipe
    os.dup2(os.open(os.devnull, os.O_RDONLY), reading)
    logger.info("to nobody")
    logger.handlers[0].flush()
    logger.info("to nobody")
    logger.handlers[0].flush()


@given(st.lists(st.text("ab", max_size=select.PIPE_BUF + 10), max_size=20))
def test_chunks_hold_whole_lines_and_fit_a_pipe(lines):
    waiting = deque(lines)
    chunks = list(iter(lambda: next_chunk(waiting), ""))
    assert "".join(chunks) == "".join(line + "\n" for line in lines)
    assert all(chunk.endswith("\n") for chunk in chunks)
    assert all(len(chunk) <= select.PIPE_BUF or chunk.count("\n") == 1 for chunk in chunks)


def test_server_timing_adds_up(client, features):
    for path, body in (("/predict", {"features": features}), ("/predict/batch", {"instances": [features]})):
        header = client.post(path, json=body).headers["server-timing"]
        parts = dict(part.split(";dur=") for part in header.split(", "))
        assert list(parts) == ["parse", "queue", "inference", "total"]
        *spent, total = map(float, parts.values())
        assert 0 < sum(spent) < total
    assert "server-timing" not in client.get("/metadata").headers
    assert "server-timing" not in client.post("/predict", json={}).headers
