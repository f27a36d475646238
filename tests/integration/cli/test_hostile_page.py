"""Candidates that put script into all that they say are gated; the page of the verdict runs none of it."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from chromium import Chromium, Page, find_chromium

from harness.errors import ExitCode

pytestmark = pytest.mark.browser

SCRIPT = "</pre></text><script>window.pwned = 1; alert(1)</script><img src=x onerror='window.pwned = 2'>"
JSON = SCRIPT.replace('"', "").replace("\\", "")
SCENARIO = """
[[scenario]]
id = "says-so"
title = "The answer says z"
[[scenario.steps]]
request = "predict"
expect = { status = 200, headers = { X-Says = { equals = "z" } }, body = { "/y" = { equals = "z" } } }
"""
MORE = """
[service.metadata]
path = "/metadata"
name = "/name"
version = "/name"
execution_provider = "/name"

[scenarios]
auth = ["says-so.toml"]
min_auth = 1

[scenarios.requests.predict]
path = "/predict"
body = { x = 1 }
"""


class Hostile(BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self):
        self.answer(200, f'{{"name": "{JSON}"}}')

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        Hostile.asked += 1
        if Hostile.asked % 2:
            self.answer(500, f"Traceback: {SCRIPT}")
        else:
            self.answer(200, f'{{"y": "{JSON}", "{JSON}": 1}}')

    def answer(self, status, text):
        body = text.encode()
        self.send_response(status, SCRIPT)
        self.send_header("Content-Type", f"application/json; x={SCRIPT}")
        self.send_header("X-Says", SCRIPT)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


@pytest.fixture
def hostile_url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def dying_folder(tmp_path):
    """A source folder whose service says its last words in script."""
    folder = tmp_path / "dying"
    folder.mkdir()
    (folder / "server.py").write_text(f"import sys; sys.exit({SCRIPT!r})\n")
    return folder


@pytest.fixture
def page_of(run_main, tiny_suite, tmp_path):
    """Gates a candidate and gives the page of its reject."""

    def run(candidate, *, more=""):
        config = tiny_suite(more, replace={'["golden"]': '["golden", "scenarios"]'} if more else {})
        (config.parent / "says-so.toml").write_text(SCENARIO)
        result = run_main(
            *("run", "--config", config, "--candidate", candidate, "--reference", "none"),
            *("--out", tmp_path / "reports"),
            GATE_KEY_CALLER="sesame-of-the-caller",
        )
        assert result.returncode == ExitCode.REJECT, result.stderr
        (path,) = (tmp_path / "reports").glob("*.html")
        return path

    return run


def assert_shown_and_inert(path, tmp_path, *, at_least):
    text = path.read_text()
    assert text.count("&lt;script&gt;window.pwned") >= at_least
    assert "<script" not in text
    with Chromium(find_chromium(), tmp_path / "profile") as browser:
        page = Page(browser)
        noticed = page.open(path)
        assert [name for name, _ in noticed] == ["Network.requestWillBeSent"]
        assert noticed[0][1]["request"]["url"] == path.as_uri()
        assert page.run("typeof window.pwned") == "undefined"


def test_script_in_bodies_headers_and_the_model_s_name(page_of, hostile_url, tmp_path):
    assert_shown_and_inert(page_of(hostile_url, more=MORE), tmp_path, at_least=5)


def test_script_in_log_lines(page_of, dying_folder, tmp_path):
    assert_shown_and_inert(page_of(dying_folder), tmp_path, at_least=1)
