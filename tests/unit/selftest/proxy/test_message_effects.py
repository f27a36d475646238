"""What a fault makes of statuses, headers and metrics, and that the rest stays."""

import gzip
import json

import pytest

from harness.selftest.proxy.message import Message

GOOD = Message.answer(200, b'{"y": 1}')
METRICS = b"""# TYPE asked_total counter
asked_total{path="/a} b",status="200"} 7.0
asked_seconds_sum 0.5
asked_seconds_bucket{le="0.1"} 4
ready 1
"""
EXPOSED = Message.answer(200, METRICS, "text/plain; version=0.0.4; charset=utf-8")


def refusal(status, **headers):
    answer = Message.answer(status, b'{"error": "no"}')
    for name, value in headers.items():
        answer = answer.with_header(name.replace("_", "-"), value)
    return answer


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        *(("refusal_as_server_error", status, 500) for status in (400, 413, 415, 422)),
        *(("refusal_as_server_error", status, status) for status in (200, 401, 404, 429, 503)),
        *(("refusal_as_success", status, 200) for status in (400, 422)),
        *(("refusal_as_success", status, status) for status in (201, 401, 403, 413, 500)),
        ("undocumented_status", 200, 202),
        ("undocumented_status", 422, 422),
        ("unauthorized_as_forbidden", 401, 403),
        ("unauthorized_as_forbidden", 403, 403),
    ],
)
def test_statuses(passage, name, before, after):
    answer = refusal(before, X_Kept="1")
    changed = passage(name).answer(answer)
    assert changed.status == after
    assert changed.raw.partition(b"\r\n")[2] == answer.raw.partition(b"\r\n")[2]


def test_an_error_is_told_as_success_once_in_fifty(passage):
    answers = [passage_.answer(GOOD) for passage_ in [passage("error_told_as_success")] * 150]
    wrong = [answer for answer in answers if answer != GOOD]
    assert len(wrong) == 3
    assert {answer.status for answer in wrong} == {200}
    assert all("error" in json.loads(answer.content) for answer in wrong)


def test_refusals_are_pages(passage, asking):
    through = passage("refusals_as_html")
    changed = through.answer(refusal(422))
    assert (changed.status, changed.media_type) == (422, "text/html")
    assert changed.content.startswith(b"<html>")
    for other in (GOOD, refusal(500)):
        assert through.answer(other) is other
    assert through.answer(refusal(404), asking(method="HEAD")) == refusal(404)


def test_json_is_called_text(passage):
    changed = passage("other_content_type").answer(GOOD)
    assert changed.raw == GOOD.raw.replace(b"application/json", b"text/plain")


def test_json_is_written_in_another_charset(passage):
    changed = passage("other_charset").answer(GOOD)
    assert changed.header("content-type") == "application/json; charset=utf-16"
    assert changed.content.decode("utf-16") == GOOD.content.decode()


def test_json_is_compressed_unasked_and_only_then(passage, asking):
    through = passage("compressed_unasked")
    changed = through.answer(GOOD, asking(headers=[("Accept-Encoding", "identity")]))
    assert changed.header("content-encoding") == "gzip"
    assert gzip.decompress(changed.content) == GOOD.content
    assert through.answer(GOOD, asking(headers=[("Accept-Encoding", "br, gzip")])) is GOOD


def test_an_echo_is_lost_and_no_other_header(passage, asking):
    echoing = refusal(200, X_Request_ID="r-1", X_Other="1", Connection="close")
    sent = asking(headers=[("x-request-id", "r-1"), ("X-Other", "2"), ("Connection", "close")])
    assert passage("echoed_header_lost").answer(echoing, sent) == echoing.without("x-request-id")


def test_the_challenge_is_lost(passage):
    answer = refusal(401, WWW_Authenticate="Bearer", Allow="GET", X_Kept="1")
    assert passage("challenge_lost").answer(answer) == answer.without("www-authenticate", "allow")


@pytest.mark.parametrize(
    ("name", "headers", "after"),
    [
        ("retry_after_zero", {"Retry_After": "7"}, {"Retry_After": "0"}),
        ("retry_after_zero", {"X_A": "1"}, {"X_A": "1"}),
        ("retry_after_missing", {"X_A": "1", "Retry_After": "7"}, {"X_A": "1"}),
        ("remaining_overstated", {"x-ratelimit-remaining": "0"}, {"x-ratelimit-remaining": "1"}),
        ("remaining_overstated", {"ratelimit": '"d";r=9;t=10'}, {"ratelimit": '"d";r=10;t=10'}),
        (
            "remaining_overstated",
            {"ratelimit": "limit=5, remaining=0"},
            {"ratelimit": "limit=5, remaining=1"},
        ),
        ("remaining_overstated", {"ratelimit-policy": '"d";q=5;w=10'}, {"ratelimit-policy": '"d";q=5;w=10'}),
        ("remaining_overstated", {"x-ratelimit-limit": "5"}, {"x-ratelimit-limit": "5"}),
    ],
)
def test_headers_of_a_refusal_for_now(passage, name, headers, after):
    assert passage(name).answer(refusal(429, **headers)).raw == refusal(429, **after).raw


def test_metrics_stay_as_they_were_first_read(passage, asking):
    through, get = passage("metrics_frozen"), asking(method="GET", target="/metrics")
    later = EXPOSED.with_content(METRICS.replace(b"7.0", b"8.0"))
    assert through.answer(EXPOSED, get) is EXPOSED
    assert through.effect.applied == 0
    assert through.answer(later, get) is EXPOSED
    assert through.effect.applied == 1
    assert through.answer(later, asking(method="GET", target="/other")) is later


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [("counters_halved", b"} 7.0", b"} 3.0"), ("seconds_in_milliseconds", b"sum 0.5", b"sum 500.0")],
)
def test_samples_change(passage, asking, name, before, after):
    get = asking(method="GET", target="/metrics")
    changed = passage(name).answer(EXPOSED, get)
    assert changed.content == METRICS.replace(before, after)
    openmetrics = EXPOSED.with_header("Content-Type", "application/openmetrics-text; version=1.0.0")
    assert passage(name).answer(openmetrics, get).content == changed.content
    plain = EXPOSED.with_header("Content-Type", "text/plain")
    assert passage(name).answer(plain, get) is plain


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        (
            "another_version_told",
            b'{"model": {"version": "1.2", "version_of": "9"}, "model_version": "1"}',
            b'{"model": {"version": "1.2.1", "version_of": "9"}, "model_version": "1.1"}',
        ),
        (
            "another_version_told",
            b'{"openapi": "3.1.0", "info": {"version": "1"}}',
            b'{"openapi": "3.1.0", "info": {"version": "1"}}',
        ),
        (
            "document_without_a_path",
            b'{"openapi": "3.1.0", "paths": {"/a": {}, "/b": {"get": {}}}, "x": 1}',
            b'{"openapi": "3.1.0", "paths": {"/a": {}}, "x": 1}',
        ),
        ("document_without_a_path", b'{"paths": {"/a": {}, "/b": {}}}', b'{"paths": {"/a": {}, "/b": {}}}'),
        (
            "document_without_a_path",
            b'{"openapi": "3.1.0", "paths": {"/a": {}}}',
            b'{"openapi": "3.1.0", "paths": {"/a": {}}}',
        ),
    ],
)
def test_documents_change(passage, asking, name, before, after):
    answer = Message.answer(200, before)
    assert passage(name).answer(answer, asking(method="GET")).content == after
    assert passage(name).answer(answer) is answer


@pytest.mark.parametrize(
    ("target", "normal"),
    [
        ("/predict/", "/predict"),
        ("//predict", "/predict"),
        ("/a//b///?c=//", "/a/b?c=//"),
        ("/", "/"),
        ("/predict", "/predict"),
        ("*", "*"),
    ],
)
def test_paths_are_normalised(passage, asking, target, normal):
    through = passage("path_normalised")
    assert through.ask(asking(target=target)).request == asking(target=normal)
    assert through.effect.applied == (target != normal)
