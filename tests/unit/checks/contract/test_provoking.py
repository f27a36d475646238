"""Which requests are made of what a suite declares, and what does not fit its document."""

import json
import subprocess

import pytest
from pydantic import ValidationError

from harness.checks.contract.provoking import PlanError, Provocation, plan
from harness.checks.contract.settings import ProvokeSettings, ResponsesSettings
from harness.http_request import Request
from harness.openapi.answers import documented_operations

JSON = {"content": {"application/json": {"schema": {"type": "object"}}}}


def document(**operations):
    """Operations such as ``post_score="200 400"``."""
    paths = {}
    for name, statuses in operations.items():
        method, _, path = name.partition("_")
        paths.setdefault(f"/{path}", {})[method] = {"responses": dict.fromkeys(statuses.split(), JSON)}
    return {"openapi": "3.1.0", "paths": paths}


SCORE = {"path": "/score", "credential": "key", "body": {"row": "${input}"}}


def planned(api, **declared):
    settings = ResponsesSettings.model_validate({"valid": [SCORE], **declared})
    return plan(
        documented_operations(api), settings, {"input": [1, 2]}, lambda name: {"X-Key": name} if name else {}
    )


def test_a_valid_request_is_sent_first_and_once():
    [made] = planned(document(post_score="200"))
    assert (made.operation, made.status, made.times) == ("POST /score", 200, 1)
    assert made.request.headers["X-Key"] == "key"
    assert json.loads(made.whole().body) == {"row": [1, 2]}


@pytest.mark.parametrize(
    ("change", "headers", "body"),
    [
        ({"text": "{"}, {"X-Key": "key"}, b"{"),
        ({"anonymous": True}, {"X-Key": None}, b'{"row":[1,2]}'),
        ({"credential": "other"}, {"X-Key": "other"}, b'{"row":[1,2]}'),
        (
            {"headers": {"content-type": "text/plain"}},
            {"content-type": "text/plain", "Content-Type": None},
            None,
        ),
        ({"members": {"row": 3, "x": None}}, {}, b'{"row":3,"x":null}'),
        ({"padding_bytes": 3}, {}, b'{"row":[1,2]}   '),
    ],
)
def test_a_change_of_it(change, headers, body):
    _, made = planned(document(post_score="200 400"), provoke=[{"status": 400, **change}])
    assert made.status == 400
    assert {name: made.request.headers.get(name) for name in headers} == headers
    assert body is None or made.whole().body == body


def test_a_change_is_made_of_every_operation_that_documents_its_status_or_of_the_named_ones():
    api = document(post_score="200 400", get_model="200 400", get_live="200")
    valid = [SCORE, {"method": "GET", "path": "/model"}, {"method": "GET", "path": "/live"}]
    change = {"status": 400, "text": "{"}
    everywhere = planned(api, valid=valid, provoke=[change])
    assert [each.operation for each in everywhere if each.status == 400] == ["POST /score", "GET /model"]
    named = planned(
        api,
        valid=valid,
        provoke=[change | {"operations": ["GET /model"]}],
        unreachable=[{"statuses": [400], "operations": ["POST /score"], "reason": "r"}],
    )
    assert [each.operation for each in named if each.status == 400] == ["GET /model"]


@pytest.mark.parametrize("key", ["4XX", "4xx", "default"])
def test_a_range_and_the_default_are_provoked_by_any_status_of_theirs(key):
    api = document(post_score=f"200 {key}")
    assert [each.status for each in planned(api, provoke=[{"status": 404, "text": "{"}])] == [200, 404]


@pytest.mark.parametrize(
    ("declared", "key", "problem"),
    [
        ({"valid": [{"path": "/other"}]}, "valid", "POST /other is no operation"),
        ({"valid": [{"path": "/score", "method": "GET"}]}, "valid", "GET /score is no operation"),
        ({"valid": [{"path": "/score", "body": "${row}"}]}, "valid", "no value for ${row}"),
        ({}, "unreachable", "POST /score documents 400, which no request provokes nor a reason excludes"),
        ({"provoke": [{"status": 400, "operations": ["GET /score"]}]}, "provoke", "GET /score is none of"),
        (
            {"unreachable": [{"statuses": [400], "operations": ["GET /x"], "reason": "r"}]},
            "unreachable",
            "GET /x is none of the operations: POST /score",
        ),
        (
            {"valid": [{"path": "/score", "body": [1]}], "provoke": [{"status": 400, "members": {"a": 1}}]},
            "provoke",
            "members change a JSON object",
        ),
    ],
)
def test_what_does_not_fit_is_named(declared, key, problem):
    with pytest.raises(PlanError) as caught:
        planned(document(post_score="200 400"), **declared)
    assert caught.value.key == key
    assert problem in str(caught.value)


def test_an_operation_without_a_valid_request_cannot_be_changed():
    api = document(post_score="200", get_model="200")
    with pytest.raises(PlanError, match="GET /model has no valid request to change"):
        planned(api, provoke=[{"status": 200, "operations": ["GET /model"]}])


@pytest.mark.parametrize(
    "change", [{"anonymous": True, "credential": "key"}, {"text": "{", "members": {"a": 1}}, {"status": 99}]
)
def test_changes_that_contradict_each_other_are_refused(change):
    with pytest.raises(ValidationError):
        ProvokeSettings.model_validate({"status": 400, **change})


def test_a_padding_is_made_by_the_shell_that_repeats_it():
    request = Request("POST", "/score", {"X-Key": "secret"}, b'{"a": "it\'s"}')
    made = Provocation("POST /score", 413, request, padding_bytes=1_000_000)
    command = made.command("http://127.0.0.1:9", lambda text: text.replace("secret", "$GATE_KEY"))
    assert len(command) < 300
    assert "$GATE_KEY" in command
    body, _, _ = command.partition(" | ")
    sent = subprocess.run(["bash", "-c", body], check=True, capture_output=True, timeout=10).stdout
    assert sent == made.whole().body
