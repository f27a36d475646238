"""Rules outside schemas: paths, operations, parameters, bodies, statuses, media types, headers, security."""

import copy

import pytest

from harness.openapi import RULES, Severity, diff, operation_names
from harness.pointer import PointerError, resolve

STRING, INTEGER = {"type": "string"}, {"type": "integer"}
OK = {"200": {"description": "ok"}}


def api(operation=None, *, path="/p", method="post", item=None, **top):
    operation = {"responses": OK} if operation is None else operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {path: {method: operation, **(item or {})}},
        **top,
    }


def op(**parts):
    return {"responses": OK, **parts}


def query(name="q", **parts):
    return op(parameters=[{"name": name, "in": "query", "schema": STRING, **parts}])


def body(required=False, **media):
    content = {kind.replace("_", "/"): {"schema": schema} for kind, schema in media.items()}
    return op(requestBody={"required": required, "content": content})


def answers(**statuses):
    return {"responses": {status.removeprefix("s"): response for status, response in statuses.items()}}


def answer(schema=None, kind="application/json", **headers):
    content = {"content": {kind: {"schema": schema}}} if schema else {}
    return {"description": "d", "headers": headers, **content}


def path_parameter(name):
    return op(parameters=[{"name": name, "in": "path", "required": True, "schema": STRING}])


ROWS = [
    ("path removed", api(path="/a"), api(path="/b"), {"path-removed", "path-added"}),
    ("operation removed", api(item={"get": op()}), api(), {"operation-removed"}),
    ("operation added", api(), api(item={"get": op()}), {"operation-added"}),
    (
        "path parameter renamed",
        api(path_parameter("id"), path="/i/{id}/x"),
        api(path_parameter("item"), path="/i/{item}/x"),
        {"path-parameter-renamed"},
    ),
    (
        "renamed and retyped",
        api(path_parameter("id"), path="/i/{id}"),
        api(
            op(parameters=[{"name": "n", "in": "path", "required": True, "schema": INTEGER}]),
            path="/i/{n}",
        ),
        {"path-parameter-renamed", "request-type-changed"},
    ),
    (
        "path templates swapped are other paths",
        api(path="/a/{x}"),
        api(path="/b/{x}"),
        {"path-removed", "path-added"},
    ),
    ("operation deprecated", api(), api(op(deprecated=True)), {"operation-deprecated"}),
    ("operationId", api(op(operationId="a")), api(op(operationId="b")), {"operation-id-changed"}),
    ("prose", api(), api(op(tags=["t"], summary="s", description="d")), set()),
    ("servers", api(), api(servers=[{"url": "/v2"}]), {"servers-changed"}),
    ("webhooks", api(webhooks={}), api(webhooks={"w": {"post": op()}}), {"webhooks-changed"}),
    ("callbacks", api(), api(op(callbacks={"c": {"{$url}": {"post": op()}}})), {"callbacks-changed"}),
    (
        "the header that says the media type",
        api(answers(s200=answer(**{"Content-Type": {"required": True}}))),
        api(answers(s200=answer())),
        set(),
    ),
    (
        "two of three paths removed",
        {**api(), "paths": {"/c": {"get": op()}, "/a": {"get": op()}, "/b": {"get": op()}}},
        {**api(), "paths": {"/d": {"put": op()}, "/a": {"get": op()}, "/e": {"put": op()}}},
        {"path-removed", "path-added"},
    ),
    (
        "a schema gone altogether",
        api(body(a_b=STRING)),
        api(op(requestBody={"content": {"a/b": {}}})),
        {"request-type-widened"},
    ),
    ("parameter removed", api(query()), api(), {"request-parameter-removed"}),
    ("a range takes its type in", api(body(text_plain=STRING)), api(body(**{"text_*": STRING})), set()),
    (
        "a range of another kind does not",
        api(body(text_plain=STRING)),
        api(body(**{"image_*": STRING})),
        {"request-media-type-removed", "request-media-type-added"},
    ),
    ("parameter added", api(), api(query()), {"request-parameter-added"}),
    ("required parameter added", api(), api(query(required=True)), {"request-required-parameter-added"}),
    ("became required", api(query()), api(query(required=True)), {"request-parameter-became-required"}),
    ("became optional", api(query(required=True)), api(query()), {"request-parameter-became-optional"}),
    ("parameter type", api(query()), api(query(schema=INTEGER)), {"request-type-changed"}),
    (
        "parameter default",
        api(query()),
        api(query(schema=STRING | {"default": "x"})),
        {"request-default-added"},
    ),
    (
        "style",
        api(query(schema={"type": "array", "items": STRING})),
        api(query(schema={"type": "array", "items": STRING}, style="pipeDelimited")),
        {"request-parameter-serialization-changed"},
    ),
    ("explode", api(query()), api(query(explode=False)), {"request-parameter-serialization-changed"}),
    ("style spelt out", api(query()), api(query(style="form", explode=True)), set()),
    (
        "parameter of the path level",
        api(query()),
        api(item={"parameters": query()["parameters"]}),
        set(),
    ),
    (
        "header names have no case",
        api(op(parameters=[{"name": "X-Trace", "in": "header", "schema": STRING}])),
        api(op(parameters=[{"name": "x-trace", "in": "header", "schema": STRING}])),
        set(),
    ),
    (
        "headers that OpenAPI ignores",
        api(),
        api(op(parameters=[{"name": "Authorization", "in": "header", "required": True, "schema": STRING}])),
        set(),
    ),
    (
        "parameter by media type",
        api(
            op(parameters=[{"name": "q", "in": "query", "content": {"application/json": {"schema": STRING}}}])
        ),
        api(
            op(
                parameters=[
                    {"name": "q", "in": "query", "content": {"application/json": {"schema": INTEGER}}}
                ]
            )
        ),
        {"request-type-changed"},
    ),
    ("body added", api(), api(body(application_json=STRING)), {"request-body-added"}),
    ("required body added", api(), api(body(True, application_json=STRING)), {"request-required-body-added"}),
    ("body removed", api(body(application_json=STRING)), api(), {"request-body-removed"}),
    (
        "body became required",
        api(body(application_json=STRING)),
        api(body(True, application_json=STRING)),
        {"request-body-became-required"},
    ),
    (
        "body became optional",
        api(body(True, application_json=STRING)),
        api(body(application_json=STRING)),
        {"request-body-became-optional"},
    ),
    (
        "request media type replaced",
        api(body(application_json=STRING)),
        api(body(text_plain=STRING)),
        {"request-media-type-removed", "request-media-type-added"},
    ),
    ("request range takes it in", api(body(application_json=STRING)), api(body(**{"*_*": STRING})), set()),
    (
        "media type spelt otherwise",
        api(body(**{"application_json; charset=UTF-8": STRING})),
        api(body(**{"Application_JSON;charset=utf-8": STRING})),
        set(),
    ),
    (
        "encoding",
        api(op(requestBody={"content": {"multipart/form-data": {"schema": STRING}}})),
        api(
            op(
                requestBody={
                    "content": {
                        "multipart/form-data": {"schema": STRING, "encoding": {"f": {"style": "form"}}}
                    }
                }
            )
        ),
        {"request-encoding-changed"},
    ),
    (
        "status removed",
        api(answers(s200=answer(), s404=answer())),
        api(answers(s200=answer())),
        {"response-status-removed"},
    ),
    (
        "status added",
        api(answers(s200=answer())),
        api(answers(s200=answer(), s201=answer())),
        {"response-status-added"},
    ),
    (
        "error status added",
        api(answers(s200=answer())),
        api(answers(s200=answer(), s503=answer())),
        {"response-error-status-added"},
    ),
    (
        "error status added where default stood",
        api(answers(s200=answer(), default=answer())),
        api(answers(s200=answer(), default=answer(), s503=answer())),
        {"response-status-added"},
    ),
    (
        "status within a range",
        api(answers(s200=answer(STRING))),
        api({"responses": {"2XX": answer(INTEGER)}}),
        {"response-type-changed"},
    ),
    (
        "default does not stand for 200",
        api(answers(s200=answer())),
        api(answers(default=answer())),
        {"response-status-removed", "response-error-status-added"} - {"response-error-status-added"}
        | {"response-status-added"},
    ),
    (
        "response media type replaced",
        api(answers(s200=answer(STRING))),
        api(answers(s200=answer(STRING, "text/plain"))),
        {"response-media-type-removed", "response-media-type-added"},
    ),
    (
        "response range made definite",
        api(answers(s200=answer(STRING, "*/*"))),
        api(answers(s200=answer(STRING))),
        set(),
    ),
    (
        "header removed",
        api(answers(s200=answer(**{"X-A": {"schema": STRING}}))),
        api(answers(s200=answer())),
        {"response-header-removed"},
    ),
    (
        "header added",
        api(answers(s200=answer())),
        api(answers(s200=answer(**{"X-A": {"schema": STRING}}))),
        {"response-header-added"},
    ),
    (
        "header type and case",
        api(answers(s200=answer(**{"X-A": {"schema": INTEGER}}))),
        api(answers(s200=answer(**{"x-a": {"schema": {"type": "number"}}}))),
        {"response-type-widened"},
    ),
    (
        "header became optional",
        api(answers(s200=answer(**{"X-A": {"schema": STRING, "required": True}}))),
        api(answers(s200=answer(**{"X-A": {"schema": STRING}}))),
        {"response-header-became-optional"},
    ),
    (
        "header became required",
        api(answers(s200=answer(**{"X-A": {"schema": STRING}}))),
        api(answers(s200=answer(**{"X-A": {"schema": STRING, "required": True}}))),
        {"response-header-became-required"},
    ),
    (
        "through references",
        api(
            op(
                parameters=[{"$ref": "#/components/parameters/P"}],
                requestBody={"$ref": "#/components/requestBodies/B"},
                responses={"200": {"$ref": "#/components/responses/R"}},
            ),
            components={
                "parameters": {"P": {"name": "q", "in": "query", "schema": STRING}},
                "requestBodies": {"B": {"content": {"application/json": {"schema": STRING}}}},
                "responses": {"R": answer(STRING)},
            },
        ),
        api(
            op(
                parameters=query(schema=INTEGER)["parameters"],
                requestBody=body(application_json=INTEGER)["requestBody"],
                responses={"200": answer(INTEGER)},
            )
        ),
        {"request-type-changed", "response-type-changed"},
    ),
    (
        "a path item by reference",
        api(),
        {
            **api(),
            "paths": {"/p": {"$ref": "#/components/pathItems/I"}},
            "components": {"pathItems": {"I": {"post": op()}}},
        },
        set(),
    ),
]

KEY = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
JWT = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
OAUTH = {
    "type": "oauth2",
    "flows": {"clientCredentials": {"tokenUrl": "/token", "scopes": {"a": "", "b": ""}}},
}


def secured(*requirements, schemes=None, **parts):
    schemes = {"key": KEY, "jwt": JWT, "oauth": OAUTH} if schemes is None else schemes
    declared = {} if requirements == (None,) else {"security": list(requirements)}
    return api(op(**declared), components={"securitySchemes": schemes}, **parts)


SECURITY_ROWS = [
    ("removed", secured({"key": []}), secured(None), {"security-requirement-removed"}),
    ("emptied", secured({"key": []}), secured(), {"security-requirement-removed"}),
    ("made optional", secured({"key": []}), secured({"key": []}, {}), {"security-requirement-removed"}),
    (
        "removed at the top",
        secured(None, security=[{"key": []}]),
        secured(None),
        {"security-requirement-removed"},
    ),
    ("moved to the top", secured({"key": []}), secured(None, security=[{"key": []}]), set()),
    (
        "overridden",
        secured(None, security=[{"key": []}]),
        secured(security=[{"key": []}]),
        {"security-requirement-removed"},
    ),
    (
        "another scheme does too",
        secured({"key": []}),
        secured({"key": []}, {"jwt": []}),
        {"security-requirement-loosened"},
    ),
    (
        "one of two suffices",
        secured({"key": [], "jwt": []}),
        secured({"key": []}),
        {"security-requirement-loosened"},
    ),
    (
        "a scope less",
        secured({"oauth": ["a", "b"]}),
        secured({"oauth": ["a"]}),
        {"security-requirement-loosened"},
    ),
    (
        "a scope more",
        secured({"oauth": ["a"]}),
        secured({"oauth": ["a", "b"]}),
        {"security-requirement-tightened"},
    ),
    ("added", secured(None), secured({"key": []}), {"security-requirement-added"}),
    ("no longer optional", secured({}, {"key": []}), secured({"key": []}), {"security-requirement-added"}),
    (
        "a scheme does no longer",
        secured({"key": []}, {"jwt": []}),
        secured({"jwt": []}),
        {"security-requirement-tightened"},
    ),
    (
        "another scheme",
        secured({"key": []}),
        secured({"jwt": []}),
        {"security-requirement-loosened", "security-requirement-tightened"},
    ),
    ("reordered", secured({"key": []}, {"jwt": []}), secured({"jwt": []}, {"key": []}), set()),
    (
        "scheme renamed",
        secured({"key": []}, schemes={"key": KEY}),
        secured({"ApiKey": []}, schemes={"ApiKey": KEY}),
        set(),
    ),
    (
        "key moved",
        secured({"key": []}, schemes={"key": KEY}),
        secured({"key": []}, schemes={"key": KEY | {"in": "query"}}),
        {"security-scheme-changed"},
    ),
    (
        "key named otherwise",
        secured({"key": []}, schemes={"key": KEY}),
        secured({"key": []}, schemes={"key": KEY | {"name": "X-Key"}}),
        {"security-scheme-changed"},
    ),
    (
        "header case",
        secured({"key": []}, schemes={"key": KEY}),
        secured({"key": []}, schemes={"key": KEY | {"name": "x-api-key", "description": "d"}}),
        set(),
    ),
    (
        "another type",
        secured({"key": []}, schemes={"key": KEY}),
        secured({"key": []}, schemes={"key": JWT}),
        {"security-scheme-changed"},
    ),
    (
        "token address",
        secured({"o": []}, schemes={"o": OAUTH}),
        secured(
            {"o": []}, schemes={"o": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/t"}}}}
        ),
        {"security-scheme-changed"},
    ),
    (
        "refresh address",
        secured({"o": []}, schemes={"o": {"type": "oauth2", "flows": {"password": {"refreshUrl": "/r"}}}}),
        secured({"o": []}, schemes={"o": {"type": "oauth2", "flows": {"password": {"refreshUrl": "/s"}}}}),
        {"security-scheme-changed"},
    ),
    (
        "unused scheme gone",
        secured({"key": []}),
        secured({"key": []}, schemes={"key": KEY, "jwt": JWT}),
        {"security-scheme-removed"},
    ),
    (
        "scheme gone that is needed",
        secured({"key": []}),
        secured({"key": []}, schemes={"jwt": JWT}),
        {"security-scheme-removed", "security-scheme-undefined"},
    ),
    (
        "scheme added",
        secured(None, schemes={}),
        secured(None, schemes={"key": KEY}),
        {"security-scheme-added"},
    ),
]


def has(document, pointer):
    try:
        resolve(document, pointer)
    except PointerError:
        return False
    return True


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [row[1:] for row in ROWS + SECURITY_ROWS],
    ids=[row[0].replace(" ", "-") for row in ROWS + SECURITY_ROWS],
)
def test_rules(version, old, new, expected):
    old, new = old | {"openapi": version}, new | {"openapi": version}
    before = copy.deepcopy((old, new))
    changes = diff(old, new)
    assert {change.rule for change in changes} == expected
    assert all(has(new, change.pointer) or has(old, change.pointer) for change in changes), changes
    assert diff(old, old) == []
    assert diff(new, new) == []
    assert (old, new) == before


@pytest.mark.parametrize("rule", sorted(rule for rule in RULES if rule.startswith("security-requirement-")))
def test_who_may_call_never_changes_unnoticed(rule):
    assert RULES[rule] is Severity.ERROR


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            secured({"oauth": ["read", "write"]}),
            secured({"oauth": ["read"]}),
            "other credentials let in: was oauth and oauth:read and oauth:write, is oauth and oauth:read",
        ),
        (
            secured({"key": []}),
            secured({"jwt": []}, {"key": []}),
            "other credentials let in: was key, is jwt or key",
        ),
        (api(), api(query(required=True)), "required query parameter 'q' added"),
        (api(), api(query()), "optional query parameter 'q' added"),
        (
            api(query(explode=True)),
            api(query(explode=False)),
            'query parameter \'q\': serialization was "form, exploded", is "form, not exploded"',
        ),
        (api(body(a_b=STRING)), api(), "request body removed"),
        (api(), api(body(a_b=STRING)), "optional request body added"),
        (api(item={"get": op()}), api(path="/q"), "path /p removed (GET /p, POST /p)"),
    ],
)
def test_a_change_says_what_was_and_what_is(old, new, message):
    assert message in [change.message for change in diff(old, new)]


def test_a_hole_is_named_with_its_operation_and_both_values():
    [change] = diff(secured({"key": []}), secured(None))
    assert change.operation == "POST /p"
    assert (change.old, change.new) == ("key", "nothing")
    assert change.severity is Severity.ERROR


def test_what_is_gone_points_into_the_old_document_and_what_came_into_the_new():
    changes = diff(api(path="/a~b"), api(path="/c"))
    assert {change.rule: change.pointer for change in changes} == {
        "path-removed": "/paths/~1a~0b",
        "path-added": "/paths/~1c",
    }


def test_breaking_changes_come_first():
    changes = diff(
        api(query(), path="/a"),
        api(query(required=True, schema=INTEGER, description="d"), path="/a") | {"servers": [{"url": "/x"}]},
    )
    assert [change.severity for change in changes] == ["error", "error", "warning"]


def test_operation_names():
    assert operation_names(api(item={"get": op(), "x-note": 1, "summary": "s"})) == ["GET /p", "POST /p"]


def test_each_change_is_listed_once_for_each_operation():
    shared = {"components": {"schemas": {"A": STRING}}}
    reference = {"$ref": "#/components/schemas/A"}
    twice = answers(s200=answer({"type": "object", "properties": {"a": reference, "b": reference}}))
    old = api(twice, item={"get": twice}, **shared)
    changes = diff(old, old | {"components": {"schemas": {"A": INTEGER}}})
    assert [(change.operation, change.pointer) for change in changes] == [
        ("GET /p", "/components/schemas/A/type"),
        ("POST /p", "/components/schemas/A/type"),
    ]


def test_every_rule_of_the_table_that_is_not_about_schemas_has_a_row():
    shown = set().union(*(row[3] for row in ROWS + SECURITY_ROWS)) | {"openapi-version-changed"}
    elsewhere = (
        "-type-",
        "-format-",
        "-enum-",
        "-range-",
        "-length-",
        "-pattern-",
        "-items-",
        "-constraint-",
    )
    schema = ("-property-", "-properties-", "-nullable-", "-alternative-", "-discriminator-", "-default-")
    outside = {rule for rule in RULES if not any(part in rule for part in elsewhere + schema)}
    outside |= {rule for rule in RULES if "media-type" in rule}
    assert outside - shown == set()
