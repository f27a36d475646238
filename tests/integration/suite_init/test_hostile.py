"""Services that answer what they should not: init ends with an error that says so, and writes nothing."""

import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.errors import ExitCode

KEY = "sesame-of-the-caller"
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {
        "/predict": {
            "post": {
                "requestBody": {"content": {"application/json": {"example": {"x": 1.5}}}},
                "responses": {"200": {"description": "OK"}},
            }
        }
    },
}


@contextmanager
def answering(status=200, content=b"{}", document=DOCUMENT):
    """A service whose POST answers so; gives its URL, and how often it was asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            known = {"/health": b"{}", "/openapi.json": json.dumps(document).encode()}
            self.reply(200 if self.path in known else 404, known.get(self.path, b"{}"))

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.path)
            if status is None:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.reply(status, content.replace(b"<key>", self.headers.get("X-Key", "").encode()))

        def reply(self, code, body):
            self.send_response(code)
            self.send_header("Location", "http://127.0.0.1:9/")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": 500, "content": b"\x1b[31mno"}, "HTTP 500"),
        ({"status": 500, "content": b"no\nnext:\n  rm -rf"}, "HTTP 500: no\\nnext:"),
        ({"status": 307}, "HTTP 307"),
        ({"status": None}, "no answer"),
        ({"content": b"no JSON"}, "but not JSON"),
        ({"content": b"[NaN]"}, "but not JSON"),
        ({"content": b"[" * 100_000}, "but not JSON"),
        ({"content": b'"%s"' % (b"x" * 2_000_000)}, "more than 1048576 bytes"),
        ({"content": b'{"y": null}'}, "no member that can be compared: /y is null"),
        ({"content": b'{"y": "<key>"}'}, "an answer holds a secret"),
        ({"document": {**DOCUMENT, "info": {"title": KEY}}}, "the document holds a secret"),
    ],
)
def test_nothing_is_written(harness, answer, said):
    with answering(**answer) as (url, _):
        refused = harness("init", "--candidate", url, "--header", "X-Key: ${key.caller}")
    assert refused.returncode == ExitCode.REJECT, refused.stderr
    assert said in refused.stderr
    assert KEY not in refused.stderr
    assert "\x1b[31m" not in refused.stderr
    assert "\nnext:" not in refused.stderr
    assert list(Path().iterdir()) == []


def test_nobody_there(harness, monkeypatch):
    monkeypatch.setattr("harness.suite_init.make.URL_READY_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    refused = harness("init", "--candidate", f"http://127.0.0.1:{port}", "--ready", "/up")
    assert refused.returncode == ExitCode.INFRASTRUCTURE
    assert f"GET http://127.0.0.1:{port}/up was refused: nothing listens there" in refused.stderr
    assert "does the service run?" in refused.stderr


def described(path="/predict", **media):
    """A document with one POST."""
    operation = DOCUMENT["paths"]["/predict"]["post"] | {
        "requestBody": {"content": {"application/json": media}}
    }
    return DOCUMENT | {"paths": {path: {"post": operation}}}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (described("/a\nnext:\n  rm -rf", example={"x": 1.5}), "not to be printed"),
        (described(schema={"$ref": "http://127.0.0.1:9/s.json"}), "127.0.0.1:9/s.json"),
    ],
    ids=["path", "remote"],
)
def test_a_document_that_leads_elsewhere_is_refused(harness, document, said):
    with answering(content=b'{"y": 1.5}', document=document) as (url, asked):
        refused = harness("init", "--candidate", url)
    assert refused.returncode == ExitCode.USAGE, refused.stderr
    assert said in refused.stderr
    assert "\nnext:" not in refused.stderr
    assert asked == []
    assert list(Path().iterdir()) == []


def test_a_schema_without_a_value_is_asked_all_the_same(harness):
    nothing_fits = {"type": "integer", "minimum": 3.2, "maximum": 3.7}
    with answering(content=b'{"y": 1.5}', document=described(schema=nothing_fits)) as (url, asked):
        made = harness("init", "--candidate", url)
    assert made.returncode == 0, made.stderr
    assert len(asked) == 2


def test_answers_that_are_an_error_are_told_loudly(harness):
    with answering(content=b'{"error": "model not loaded"}') as (url, _):
        made = harness("init", "--candidate", url)
    assert made.returncode == 0, made.stderr
    (warned,) = [line for line in made.stderr.splitlines() if "warning:" in line]
    assert "every answer was the same" in warned
    assert "DOUBT: every answer was the same" in Path("gate.toml").read_text()


def test_a_note_is_one_line(harness):
    """The document is at a path that is none for the usual reason: what it says is shown, and acts not."""
    forged = DOCUMENT | {"openapi": "3.9\nnext:\n  rm -rf everything"}
    Path("body.json").write_text('{"x": 1.5}')
    with answering(content=b'{"y": 1.5}', document=forged) as (url, _):
        made = harness("init", "--candidate", url, "--endpoint", "/predict", "--request", "body.json")
    assert made.returncode == 0, made.stderr
    assert "GET /openapi.json is no OpenAPI document" in made.stderr
    assert made.stderr.splitlines().count("next:") == 1
    assert "  rm -rf everything" not in made.stderr.splitlines()


@pytest.mark.parametrize(("says", "options", "asks"), [("n\n", (), 0), ("y\n", (), 2), ("", ("--yes",), 2)])
def test_a_service_on_another_machine_is_asked_on_a_word(harness, monkeypatch, says, options, asks):
    lines = iter([says])
    stdin = SimpleNamespace(isatty=lambda: True, readline=lambda: next(lines))
    monkeypatch.setattr("sys.stdin", stdin)
    monkeypatch.setattr("typer.confirm", lambda *_arguments, **_options: stdin.readline() == "y\n")
    with answering(content=b'{"y": 1}') as (url, asked):
        # The same address in a writing that names no loopback.
        elsewhere = url.replace("127.0.0.1", "2130706433")
        made = harness("init", "--candidate", elsewhere, "--cases", "1", *options)
    assert made.returncode == (0 if asks else ExitCode.USAGE), made.stderr
    assert len(asked) == asks
    assert Path("gate.toml").exists() is bool(asks)


@pytest.mark.parametrize("yes", [False, True])
def test_without_a_terminal_only_yes_asks_a_service_on_another_machine(harness, monkeypatch, yes):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: False))
    with answering(content=b'{"y": 1}') as (url, asked):
        elsewhere = url.replace("127.0.0.1", "2130706433")
        made = harness("init", "--candidate", elsewhere, "--cases", "1", *(["--yes"] if yes else []))
    assert made.returncode == (0 if yes else ExitCode.USAGE), made.stderr
    assert ("--yes" in made.stderr) is not yes
    assert len(asked) == (2 if yes else 0)
    assert Path("gate.toml").exists() is yes
