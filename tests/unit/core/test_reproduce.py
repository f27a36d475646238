import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.http_request import Request
from harness.reproduce import curl, redact_bytes, redacted, replay

SECRET = "s3cret-key"
# A stand-in for curl that prints its arguments and its input, each ended by a NUL byte.
ECHO = 'curl() { printf "%s\\0" "$@"; case " $* " in *" --data-binary "*) cat; printf "\\0";; esac; }; '


def redact(text):
    return text.replace(SECRET, "$GATE_KEY_DEFAULT")


def run(command):
    environment = {**os.environ, "GATE_KEY_DEFAULT": SECRET, "HOME": "/not/this"}
    done = subprocess.run(["bash", "-c", ECHO + command], env=environment, capture_output=True, check=True)
    return done.stdout.split(b"\0")[:-1]


def arguments(request):
    command = curl(redacted(request, redact), "http://127.0.0.1:1")
    assert SECRET not in command
    return run(command)


def test_a_command_sends_the_request_with_its_secret():
    got = arguments(
        Request("POST", "/predict?a=$HOME", {"X-API-Key": SECRET, "Content-Type": "application/json"}, b"{}")
    )
    assert got[-1] == b"http://127.0.0.1:1/predict?a=$HOME"
    assert f"X-API-Key: {SECRET}".encode() in got
    assert got[got.index(b"--data-raw") + 1] == b"{}"


@pytest.mark.parametrize(
    "hostile", ["$(touch /tmp/x)", "`id`", "$HOME", '"; id; "', "'; id; '", "a\\b", "!!", "@file"]
)
def test_nothing_in_a_request_is_run_or_expanded(hostile):
    got = arguments(Request("POST", "/", {"X-A": hostile, "X-B": f"{SECRET} {hostile}"}, hostile.encode()))
    assert f"X-A: {hostile}".encode() in got
    assert f"X-B: {SECRET} {hostile}".encode() in got
    assert got[got.index(b"--data-raw") + 1] == hostile.encode()


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=64).filter(lambda body: b"\0" not in body))
def test_a_body_of_any_bytes_arrives_as_it_is(body):
    got = arguments(Request("POST", "/", {}, body))
    if b"--data-raw" in got:
        assert got[got.index(b"--data-raw") + 1] == body
    else:
        assert got[-1] == body


def test_a_header_without_a_value_is_kept():
    assert b"X-Empty;" in arguments(Request("GET", "/", {"X-Empty": ""}))


def test_a_request_without_a_content_type_gets_none_from_curl():
    assert b"Content-Type:" in arguments(Request("POST", "/", {}, b"x"))


def test_a_replay_is_short_however_long_the_request():
    command = replay([b"a" * 1_000_000, b"Key: $GATE_KEY_DEFAULT"], "http://127.0.0.1:80", half_close=True)
    assert len(command) < 5000


@given(st.binary(max_size=50))
def test_bytes_without_a_secret_are_unchanged(content):
    assert redact_bytes(content, redact) == content
    assert SECRET.encode() not in redact_bytes(content + SECRET.encode(), redact)


def test_a_loop_counts_in_the_shell():
    request = Request("GET", "/", {"X-Forwarded-For": "10.0.0.${i}", "X-B": "${j}"})
    command = curl(request, "http://127.0.0.1:1", loop_variable="i")
    got = run(f"for i in 1 2; do {command}; done")
    assert b"X-Forwarded-For: 10.0.0.1" in got
    assert b"X-Forwarded-For: 10.0.0.2" in got
    assert got.count(b"X-B: ${j}") == 2
