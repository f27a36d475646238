"""Access goes by the exact path: what only resembles a known one is answered 404 before routing."""

import json
from urllib.parse import unquote

import pytest

from reference_service.api.routes import SCOPES

PROTECTED = {"/predict": "POST", "/predict/batch": "POST", "/metadata": "GET"}
SUFFIXES = ["%0A", "%0a", "%0D%0A", "/", "%00", ";x", "//", "/.", "/..", "%20", "%2F", "%C3%A9"]
KEY = {"x-api-key": "good-key"}


@pytest.fixture
def ask(shared, features):
    """Sends a path as the server hands it over; an HTTP client would tidy it first."""

    def send(method, raw_path, headers):
        body = json.dumps({"features": features, "instances": [features]} if method == "POST" else {})
        sent = []

        async def receive():
            return {"type": "http.request", "body": body.encode(), "more_body": False}

        async def answered(message):
            sent.append(message)

        given = {"content-type": "application/json", **headers}
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(raw_path),
            "raw_path": raw_path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "state": dict(shared.app_state),
        }
        shared.portal.call(shared.app, scope, receive, answered)
        return sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent))

    return send


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("path", PROTECTED)
@pytest.mark.parametrize("headers", [{}, KEY], ids=["anonymous", "with a key"])
def test_what_follows_a_protected_path_makes_it_unknown(ask, path, suffix, headers):
    status, body = ask(PROTECTED[path], path + suffix, headers)
    assert status == 404
    assert body["error"]["code"] == "not_found"


@pytest.mark.parametrize("path", ["//predict", "/./predict", "/x/../predict", "predict", "", "*", "/PREDICT"])
@pytest.mark.parametrize("headers", [{}, KEY], ids=["anonymous", "with a key"])
def test_other_spellings_are_unknown(ask, path, headers):
    assert ask("POST", path, headers)[0] == 404


@pytest.mark.parametrize("path", PROTECTED)
def test_the_exact_path_needs_a_credential(ask, path):
    assert ask(PROTECTED[path], path, {})[0] == 401
    assert ask(PROTECTED[path], path, KEY)[0] != 404


def test_an_escaped_letter_is_the_same_path(ask):
    assert ask("POST", "/predic%74", {})[0] == 401


def test_every_route_says_who_may_ask(shared):
    assert shared.app.openapi()["paths"].keys() | {"/openapi.json"} == SCOPES.keys()
    assert {path for path, scope in SCOPES.items() if scope} == PROTECTED.keys()


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/docs/oauth2-redirect"])
def test_there_are_no_documentation_pages(ask, path):
    assert ask("GET", path, KEY)[0] == 404
