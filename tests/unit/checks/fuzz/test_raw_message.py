import json
import socket
import threading
import time

import pytest

from harness.checks.fuzz.corpus import CORPUS, VALID
from harness.checks.fuzz.raw_message import Payload, Valid, number, with_members_twice
from harness.checks.fuzz.raw_socket import exchange, stalled
from harness.http_request import Request

BODY = {"name": "a", "sizes": [1, 2.5], "more": {"weight": 3.5}}


def valid(body=BODY, **changes):
    content = None if body is None else json.dumps(body, separators=(",", ":")).encode()
    request = Request("POST", "/predict", {"Content-Type": "application/json", "X-API-Key": "k"}, content)
    return Valid(request, "127.0.0.1:1", **changes)


def sent(case, start=None):
    (found,) = [item for item in CORPUS if item.name == case]
    return found.compose(start or valid())


def body_of(payload):
    return b"".join(payload.parts).split(b"\r\n\r\n", 1)[1]


def test_names_are_distinct_and_fit_a_finding_id():
    names = [case.name for case in CORPUS]
    assert len(set(names)) == len(names)
    assert all(name == name.lower() and " " not in name for name in names)
    assert CORPUS[0] is VALID


def test_the_corpus_is_the_same_each_time():
    first, second = ([case.compose(valid()) for case in CORPUS] for _ in range(2))
    assert first == second


def test_only_the_first_number_is_replaced():
    assert body_of(number(b"NaN")(valid())) == b'{"name":"a","sizes":[NaN,2.5],"more":{"weight":3.5}}'
    assert (
        body_of(number(b"-0", fraction=True)(valid())) == b'{"name":"a","sizes":[1,-0],"more":{"weight":3.5}}'
    )
    assert number(b"NaN")(valid({"name": "a", "flag": True})) is None


def test_a_request_without_a_body_keeps_what_needs_none():
    applying = {case.name for case in CORPUS if case.compose(valid(None)) is not None}
    assert {"valid", "method-head", "tls-hello", "http-1.0"} <= applying
    assert not {"nan", "empty-body", "chunked", "truncated-body", "body-of-64-mib-undeclared"} & applying


def test_the_path_of_the_service_s_url_goes_before_every_target():
    for case in CORPUS:
        plain, below = case.compose(valid()), case.compose(valid(base_path="/models/a"))
        if plain is not None and plain.parts[0].startswith(b"POST /"):
            parts = (plain.parts[0].replace(b"POST /", b"POST /models/a/", 1), *plain.parts[1:])
            assert b"".join(below.parts).startswith(b"".join(parts)[:30])
            assert below.plain == plain.plain, "curl is told the path in its URL"


def test_the_length_is_the_body_s_unless_the_case_is_about_it():
    for case in CORPUS:
        payload = case.compose(valid())
        if payload is not None and payload.plain is not None and payload.plain.body is not None:
            assert f"Content-Length: {len(payload.plain.body)}\r\n".encode() in payload.parts[0], case.name


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("content-length-missing", b""),
        ("content-length-negative", b"Content-Length: -1\r\n"),
        ("content-length-twice", b"Content-Length: 1\r\n"),
        ("chunked", b"Transfer-Encoding: chunked\r\n"),
        ("header-without-colon", b"\r\nX-No-Colon\r\n\r\n"),
        ("http-9.9", b"HTTP/9.9\r\n"),
    ],
)
def test_a_message_holds_what_it_is_named_for(case, expected):
    content = b"".join(sent(case).parts)
    assert expected in content
    if case in {"content-length-missing", "chunked"}:
        assert b"Content-Length" not in content


def test_sizes_follow_the_declared_limit():
    bounded = valid(largest_body_bytes=500)
    assert len(body_of(sent("body-at-limit", bounded))) == 500
    assert len(body_of(sent("body-beyond-limit", bounded))) == 501
    assert len(body_of(sent("body-of-64-mib", bounded))) == 64 * 1024 * 1024
    assert len(body_of(sent("body-refused-64-times", bounded))) == 500
    assert sent("body-of-64-mib-undeclared", bounded) is None
    assert sent("body-of-64-mib", valid(largest_body_bytes=64 * 1024 * 1024)) is None
    assert sent("body-at-limit") is sent("body-beyond-limit") is sent("body-of-64-mib") is None
    assert sent("body-of-64-mib-undeclared").size_bytes > 64 * 1024 * 1024


def test_what_is_refused_again_and_again_is_json_but_for_its_last_byte():
    content = body_of(sent("body-refused-64-times"))
    assert len(content) == 1024 * 1024
    assert json.loads(content[:-1]) == BODY
    with pytest.raises(ValueError, match="Extra data"):
        json.loads(content)


def test_large_bodies_share_their_memory():
    parts = sent("body-of-64-mib-undeclared").parts
    assert len({id(part) for part in parts}) <= 3


def test_two_pipelined_requests_want_two_answers():
    payload = sent("pipelined")
    assert payload.answers == 2
    assert b"".join(payload.parts).count(b"POST /predict HTTP/1.1\r\n") == 2


def test_duplicate_members_are_still_json():
    assert json.loads(with_members_twice(b'{"a":1}')) == {"a": 1}
    assert with_members_twice(b"[1]") == b"[1]"


@pytest.mark.parametrize(
    ("answer", "status", "ended"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, True),
        (b"HTTP/1.1 503 No\r\n\r\nuntil the end", 503, True),
        (b"SSH-2.0\r\n", None, True),
        (b"", None, True),
        (None, None, False),
    ],
)
def test_what_an_exchange_reports(answer, status, ended):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                if answer is None:
                    connection.recv(1000)
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        got = exchange(f"http://127.0.0.1:{server.getsockname()[1]}", Payload((b"hello",)), timeout_s=0.5)
        thread.join()
    assert (got.status, got.ended, got.connected) == (status, ended, True)


def test_an_endless_answer_is_bounded():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection:
                try:
                    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 50_000_000)
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        got = exchange(f"http://127.0.0.1:{server.getsockname()[1]}", Payload((b"hello",)), timeout_s=5)
        thread.join()
    assert got.status == 200
    assert len(got.content) == 64 * 1024


def test_a_long_request_is_broken_off_once_it_is_answered():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n")
                time.sleep(0.5)  # it neither reads on nor closes

        thread = threading.Thread(target=serve)
        thread.start()
        payload = Payload((b"a" * 1024 * 1024,) * 64)
        got = exchange(f"http://127.0.0.1:{server.getsockname()[1]}", payload, timeout_s=5)
        thread.join()
    assert (got.status, got.in_time) == (413, True)
    assert got.milliseconds < 400


def test_stalled_clients_wait_until_another_was_served():
    with socket.create_server(("127.0.0.1", 0)) as server:
        received, finished = [], threading.Event()

        def serve(connection):
            with connection:
                content = connection.recv(5)
                while len(content) < 10:
                    content += connection.recv(5)
                received.append((content, finished.is_set()))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        def accept():
            for _ in range(3):
                threading.Thread(target=serve, args=server.accept()[:1]).start()

        threading.Thread(target=accept).start()
        payload = Payload((b"first", b"other"), senders=3)
        with stalled(f"http://127.0.0.1:{server.getsockname()[1]}", payload, timeout_s=5) as finish:
            time.sleep(0.1)
            finished.set()
            answers = finish()
    assert [answer.status for answer in answers] == [200] * 3
    assert received == [(b"firstother", True)] * 3


def test_stalled_clients_that_find_nobody_are_told_so():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with stalled(f"http://127.0.0.1:{port}", Payload((b"a", b"b"), senders=2), timeout_s=1) as finish:
        answers = finish()
    assert [answer.in_time for answer in answers] == [False, False]


def test_nobody_there_is_no_connection():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert not exchange(f"http://127.0.0.1:{port}", Payload((b"",)), timeout_s=1).connected
