import json

import pytest

from harness.errors import ConfigError
from harness.openapi import OpenAPIError, diff, read_document, render
from harness.openapi.load import MAX_BYTES

YAML = """
openapi: 3.1.0
info: {title: t, version: 2024-01-01}
paths:
  /p:
    get:
      responses:
        200: &ok
          description: yes
        404: *ok
"""


MERGES = "x0: &x0 {a: 1, b: 2}\n" + "".join(
    f"x{i}: &x{i} {{<<: [{', '.join([f'*x{i - 1}'] * 10)}]}}\n" for i in range(1, 13)
)
"""Ten times as many keys in each line; whole, they would fill any memory."""


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_yaml_gives_json_values_with_texts_as_keys(tmp_path):
    document = read_document(write(tmp_path, "api.yaml", YAML))
    assert document["info"]["version"] == "2024-01-01"
    assert document["openapi"] == "3.1.0"
    responses = document["paths"]["/p"]["get"]["responses"]
    assert responses == {"200": {"description": "yes"}, "404": {"description": "yes"}}
    assert diff(document, json.loads(json.dumps(document))) == []


@pytest.mark.parametrize("text", ["null", "~", "Null"])
def test_yaml_null_and_booleans_stay(tmp_path, text):
    assert read_document(write(tmp_path, "a.yml", f"a: {text}\nb: true\nc: no\nd: 1.5")) == {
        "a": None,
        "b": True,
        "c": "no",
        "d": 1.5,
    }


def test_yaml_merges_what_is_bounded(tmp_path):
    path = write(tmp_path, "a.yaml", "a: &a {x: 1}\nb: {<<: *a, y: 2}\nc: {<<: [*a, *a], x: 3}")
    assert read_document(path) == {"a": {"x": 1}, "b": {"x": 1, "y": 2}, "c": {"x": 3}}


def test_json_is_read_under_any_name(tmp_path):
    for name in ("api.json", "api.yaml", "api"):
        assert read_document(write(tmp_path, name, '{"openapi": "3.1.0"}')) == {"openapi": "3.1.0"}


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.json", "{", "not JSON"),
        ("a.json", b"\xff\xfe\xff", "not JSON"),
        ("a.json", "openapi: 3.1.0", "not JSON"),
        ("a.json", "[" * 100_000, "nested too deep"),
        ("a.yaml", "a: [", "not JSON or YAML"),
        ("a.yaml", "a: !!python/object/apply:os.getpid []", "not JSON or YAML"),
        ("a.yaml", "a: !!bool maybe", "not JSON or YAML"),
        ("a.yaml", "a: !!timestamp x", "not JSON or YAML"),
        ("a.yaml", "[" * 5_000, "nested too deep"),
        ("a.yaml", b"\x00\x01", "not JSON or YAML"),
        ("a.json", b" " * (MAX_BYTES + 1), "too large"),
        ("a.yaml", "a: " + "1:" * 200 + "1.5", "not JSON or YAML"),  # of base 60, and beyond a float
        ("a.yaml", MERGES, "not JSON or YAML: at most 1000000 keys"),
    ],
)
def test_what_cannot_be_read_names_the_file(tmp_path, name, content, problem):
    with pytest.raises(ConfigError, match=problem) as caught:
        read_document(write(tmp_path, name, content))
    assert name in str(caught.value)


def test_a_missing_file_is_a_config_error(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_document(tmp_path / "absent.json")


@pytest.mark.parametrize("content", ["[]", "3", ""])
def test_anything_but_an_object_is_refused(tmp_path, content):
    with pytest.raises(OpenAPIError, match=r"a\.yaml: at the top"):
        read_document(write(tmp_path, "a.yaml", content))


def test_aliases_that_explode_or_loop_are_refused_by_the_diff(tmp_path):
    lines = ["openapi: 3.1.0", "paths: {}", "x0: &x0 [a, a]"]
    lines += [f"x{i}: &x{i} [*x{i - 1}, *x{i - 1}]" for i in range(1, 25)]
    bomb = read_document(write(tmp_path, "bomb.yaml", "\n".join(lines)))
    with pytest.raises(OpenAPIError, match="values in a document"):
        diff(bomb, bomb)
    loop = read_document(write(tmp_path, "loop.yaml", "openapi: 3.1.0\npaths: {}\nx: &x {y: *x, 1: 2}"))
    with pytest.raises(OpenAPIError, match="levels of nesting"):
        diff(loop, loop)


def operation(**parts):
    return {"openapi": "3.1.0", "paths": {"/p": {"get": {"responses": {"200": {}}, **parts}}}}


def test_lines_for_the_console():
    old = operation(parameters=[{"name": "q", "in": "query", "schema": {"type": "integer"}}])
    new = operation(parameters=[{"name": "q", "in": "query", "required": True, "schema": {"type": "number"}}])
    at = " at /paths/~1p/get/parameters/0"
    assert render(diff(old, new)) == [
        f"error   request-parameter-became-required  GET /p: query parameter 'q' became required {at}",
        f'info    request-type-widened  GET /p: request type: was "integer", is "number" {at}/schema/type',
        "1 breaking, 0 warnings, 1 compatible",
    ]
    assert render([]) == ["0 breaking, 0 warnings, 0 compatible"]


def test_control_characters_are_escaped():
    hostile = {"openapi": "3.1.0", "paths": {"/\x1b[2J\n::error::x": {"get": {}}}}
    lines = render(diff({"openapi": "3.1.0", "paths": {}}, hostile))
    assert all(line.isprintable() for line in lines)
    assert any("\\x1b[2J\\n" in line for line in lines)
