"""Recorded requests: read as they were written, and clear errors for what is no recording."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigError
from harness.traffic.recorder import Recorder
from harness.traffic.recording import RecordedRequest, read_recording

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def recorded(tmp_path, *requests, **options):
    lines = io.StringIO()
    recorder = Recorder(lines=lines, **options)
    for request in requests:
        recorder.offer(*request)
    path = tmp_path / "traffic.jsonl"
    path.write_text(lines.getvalue(), encoding="utf-8")
    return list(read_recording(path))


def post(body, path="/predict", content_type="application/json"):
    return "POST", path, content_type, body


@given(VALUES)
def test_json_bodies_come_back_as_they_were(tmp_path_factory, value):
    [found] = recorded(tmp_path_factory.mktemp("t"), post(json.dumps(value).encode()))
    assert json.loads(found.content()) == value
    assert (found.method, found.path, found.content_type) == ("POST", "/predict", "application/json")


@given(st.binary(min_size=1))
def test_other_bodies_come_back_byte_by_byte(tmp_path_factory, body):
    [found] = recorded(tmp_path_factory.mktemp("t"), post(b"\xff" + body, content_type="image/png"))
    assert found.content() == b"\xff" + body
    assert found.request({}).headers["Content-Type"] == "image/png"


def test_a_content_type_that_no_client_can_send_is_not_recorded(tmp_path):
    [found] = recorded(tmp_path, post(b"{}", content_type="text/\xe9"))
    assert found.content_type is None


def test_a_number_keeps_its_digits(tmp_path):
    [found] = recorded(tmp_path, post(b'{"id": 9007199254740993, "x": 0.1}'))
    assert found.content() == b'{"id":9007199254740993,"x":0.1}'


def test_half_a_surrogate_pair_is_sent_as_it_is_written(tmp_path):
    path = tmp_path / "traffic.jsonl"
    path.write_text('{"path": "/p", "body": {"name": "\\ud800"}}')
    [found] = read_recording(path)
    assert found.content() == b'{"name":"\\ud800"}'


def test_a_request_without_body(tmp_path):
    [found] = recorded(tmp_path, ("GET", "/health", None, b""))
    assert found.request({"X-Key": "k"}).headers == {"Accept": "application/json", "X-Key": "k"}
    assert found.content() is None


def test_only_the_paths_that_are_asked_for_and_no_query_unless_asked(tmp_path):
    asked = [post(b"{}", "/predict?key=secret"), post(b"{}", "/other")]
    assert [each.path for each in recorded(tmp_path, *asked, paths=["/predict"])] == ["/predict"]
    assert [each.path for each in recorded(tmp_path, *asked, with_query=True)] == [
        "/predict?key=secret",
        "/other",
    ]


def test_what_is_to_be_left_out_is_left_out(tmp_path):
    body = {"name": "Ana", "rows": [{"a": 1}, {"a": 2}], "b/c": 3}
    [found] = recorded(tmp_path, post(json.dumps(body).encode()), drop=["/name", "/rows/0", "/b~1c", "/none"])
    assert found.body == {"rows": [None, {"a": 2}]}


def test_a_body_that_cannot_be_searched_is_left_out_whole(tmp_path):
    [found] = recorded(tmp_path, post(b"\x00Ana"), drop=["/name"])
    assert found.content() == b"null"


def test_what_never_came_is_told():
    recorder = Recorder(lines=io.StringIO(), paths=["/predict"], drop=["/name", "/nmae"])
    recorder.offer(*post(b'{"name": "Ana"}'))
    recorder.offer(*post(b"{}", "/other"))
    assert recorder.told == "1 of 2 requests that were answered 2xx are recorded; nothing was at /nmae"


def test_it_stops_when_it_is_full():
    lines = io.StringIO()
    recorder = Recorder(lines=lines, most=3)
    for _ in range(5):
        recorder.offer(*post(b"{}"))
    assert recorder.full.is_set()
    assert (recorder.recorded, len(lines.getvalue().splitlines())) == (3, 3)


def test_the_same_seed_chooses_the_same_share(tmp_path):
    asked = [post(json.dumps(number).encode()) for number in range(200)]
    first, again, other = (
        [each.body for each in recorded(tmp_path, *asked, share=0.25, seed=seed)] for seed in (1, 1, 2)
    )
    assert first == again != other
    assert 20 < len(first) < 80


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"traffic.jsonl: line 2: not JSON"),
        ("[1]", r"traffic.jsonl: line 2: "),
        (
            '{"path": "predict"}',
            r"traffic.jsonl: line 2.path: value error, must start with / \(got 'predict'\)",
        ),
        ('{"pth": "/predict"}', r"line 2.pth: unknown key"),
        ('{"path": "/p", "body": 1, "body_base64": "AA=="}', r"has body and body_base64"),
        ('{"path": "/p", "body_base64": "?"}', r"line 2.body_base64"),
        ("\udcff", r"cannot be read"),
        ('{"path": "/p", "body": NaN}', r"line 2: not JSON: NaN"),
        ('{"path": "/p\\ud800"}', r"line 2.path: .*half of a surrogate pair"),
        ('{"path": "/p", "content_type": "a\\nb"}', r"line 2.content_type: .*printable ASCII"),
    ],
)
def test_what_is_no_recording_is_named(tmp_path, line, message):
    path = tmp_path / "traffic.jsonl"
    path.write_bytes(b'{"path": "/ok"}\n' + line.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match=message):
        list(read_recording(path))


def test_a_request_is_sent_with_the_headers_of_its_credential():
    request = RecordedRequest(path="/p", body={"a": 1}).request({"X-Key": "k"})
    assert request.headers == {"Accept": "application/json", "X-Key": "k", "Content-Type": "application/json"}
    assert request.body == b'{"a":1}'
