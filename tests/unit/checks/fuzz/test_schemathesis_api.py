"""Fails first when another version of Schemathesis changes what the adapter leans on."""

import dataclasses
import inspect
import json
from importlib.metadata import version

import pytest
import schemathesis
from schemathesis import generation
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import StopReason, events, from_schema
from schemathesis.engine.recorder import CheckFailureInfo, CheckNode, Interaction, Request, ScenarioRecorder

from harness.checks.fuzz.protocol import Job
from harness.checks.fuzz.schemathesis_case import Again, as_data
from harness.checks.fuzz.schemathesis_engine import (
    UNDECLARED_HEADER,
    _config,
    _give_input,
    _server_path,
    has_links,
)
from harness.checks.fuzz.settings import FuzzSettings


def document():
    answers = {"200": {"description": "ok"}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/bare": {"get": {"responses": answers}},
            "/asks": {
                "get": {
                    "parameters": [{"name": "q", "in": "query", "schema": {"type": "integer"}}],
                    "responses": answers,
                }
            },
        },
    }


def job():
    return Job(
        document=document(),
        base_url="http://127.0.0.1:9",
        headers={"X-API-Key": "k"},
        checks=FuzzSettings().checks,
        seed=5,
        cases_per_operation=7,
        answer_timeout_s=1.0,
        budget_s=1.0,
        shrink_budget_s=1.0,
        memory_bytes=1,
    )


def test_the_version_is_the_one_that_was_read():
    assert version("schemathesis") == "4.32.5"


def test_the_engine_s_api_is_what_the_adapter_uses():
    assert {"label", "checks", "interactions"} <= set(ScenarioRecorder.__slots__)
    assert {"request", "response"} <= {field.name for field in dataclasses.fields(Interaction)}
    assert {"method", "uri", "body", "body_size", "headers"} <= set(Request.__slots__)
    assert {"name", "status", "failure_info"} == {field.name for field in dataclasses.fields(CheckNode)}
    assert "failure" in {field.name for field in dataclasses.fields(CheckFailureInfo)}
    assert {"info", "value", "label"} <= set(events.NonFatalError.__slots__)
    assert {"recorder"} <= set(events.ScenarioFinished.__slots__)
    assert {"exception"} <= set(events.FatalError.__slots__)
    assert {"stop_reason"} <= set(events.EngineFinished.__slots__)
    assert inspect.isclass(events.Interrupted)
    assert {reason.value for reason in StopReason} == {
        "completed",
        "interrupted",
        "failure_limit",
        "max_time",
        "server_unavailable",
    }
    generation.RANDOM.seed(1)
    first = generation.generate_random_case_id()
    generation.RANDOM.seed(1)
    assert generation.generate_random_case_id() == first


def test_every_check_that_a_suite_may_name_exists():
    load_all_checks()
    assert set(FuzzSettings().checks) <= set(CHECKS.get_all_names())


def test_the_configuration_is_accepted_and_arrives():
    prepared = document()
    without_input = _give_input(prepared)
    config = SchemathesisConfig.from_dict(_config(job(), prepared, without_input))
    schema = schemathesis.openapi.from_dict(prepared, config=config)
    assert schema.config.seed == 5
    assert schema.config.workers == 1
    assert schema.config.generation.max_examples == 7
    assert config.cache.enabled is False
    assert schema.config.max_redirects_for() == 0
    bare = schema["/bare"]["GET"]
    modes = schema.config.generation_for(operation=bare, phase="fuzzing").modes
    assert [mode.value for mode in modes] == ["positive"]
    assert len(schema.config.generation_for(operation=schema["/asks"]["GET"], phase="fuzzing").modes) == 2
    stream = from_schema(schema).execute()
    stream.stop()
    assert isinstance(list(stream)[-1], events.EngineFinished)


def test_only_an_operation_without_input_gets_one():
    prepared = document()
    assert _give_input(prepared) == ("GET /bare",)
    assert prepared["paths"]["/bare"]["get"]["parameters"][0]["name"] == UNDECLARED_HEADER
    assert len(prepared["paths"]["/asks"]["get"]["parameters"]) == 1


@pytest.mark.parametrize(
    ("servers", "path"),
    [
        (None, ""),
        ([], ""),
        ([{"url": "/v1/"}], "/v1"),
        ([{"url": "https://example.test/api"}], "/api"),
        ([{"url": "https://{host}/api"}], ""),
    ],
)
def test_the_servers_path_is_kept_and_its_host_is_not(servers, path):
    assert _server_path({"servers": servers} if servers is not None else {}) == path


@pytest.mark.parametrize(
    ("responses", "components", "expected"),
    [
        ({"200": {"description": "ok"}}, {}, False),
        ({"200": {"description": "ok", "links": {"Next": {"operationId": "a"}}}}, {}, True),
        (
            {"200": {"$ref": "#/components/responses/R"}},
            {"responses": {"R": {"links": {"N": {"operationId": "a"}}}}},
            True,
        ),
    ],
)
def test_links_are_found_where_they_are_declared(responses, components, expected):
    linked = {"paths": {"/a": {"get": {"responses": responses}, "summary": "s"}}, "components": components}
    assert has_links(linked) is expected
    assert has_links({"paths": {"/a": None}}) is False
    assert _config(job(), linked, ())["phases"]["stateful"]["enabled"] is expected


def test_a_case_is_the_same_once_stored():
    schema = schemathesis.openapi.from_dict(document())
    case = schema["/asks"]["GET"].Case(query={"q": "3"}, headers={"X-A": "b"})
    data = json.loads(as_data(case))
    assert data["parts"] == {"query": {"q": "3"}, "headers": {"X-A": "b"}}
    assert as_data(Again(schema, job())._case(data)) == json.dumps(data)
    smaller = Again(schema, job())._case(data, {"query": {}})
    assert json.loads(as_data(smaller))["parts"] == {}


def test_what_json_cannot_hold_is_not_stored():
    schema = schemathesis.openapi.from_dict(document())
    assert as_data(schema["/asks"]["GET"].Case(query={"q": b"\xff"})) == ""
    assert as_data(schema["/asks"]["GET"].Case(query={"q": float("nan")})) == ""
