"""Placeholders and JSON pointers."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.http_request import RequestTemplate, build
from harness.pointer import PointerError, resolve
from harness.template import TemplateError, fill, fill_json

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=20,
)


def test_fill_replaces_every_placeholder():
    assert fill("${a}-${b}-${a}", {"a": 1, "b": "x"}) == "1-x-1"


def test_an_unknown_placeholder_names_those_that_would_do():
    with pytest.raises(TemplateError, match=r"\$\{c\}; known: a, b"):
        fill("${c}", {"b": 1, "a": 2})


@given(json_values)
def test_a_lone_placeholder_becomes_the_value_itself(value):
    assert fill_json({"x": ["${input}"]}, {"input": value}) == {"x": [value]}


def test_a_filled_value_is_not_filled_again():
    assert fill_json({"x": "${input}"}, {"input": "${secret}", "secret": "s"}) == {"x": "${secret}"}


def test_build_adds_content_type_only_with_a_body():
    assert "Content-Type" not in build(RequestTemplate(method="GET", path="/x"), {}, {}).headers
    request = build(RequestTemplate(path="/x", body={"a": "${v}"}), {"v": [1]}, {"X-Key": "k"})
    assert json.loads(request.body) == {"a": [1]}
    assert request.headers["X-Key"] == "k"


def pointers(value, prefix=""):
    yield prefix, value
    if isinstance(value, dict):
        for key, child in value.items():
            yield from pointers(child, prefix + "/" + key.replace("~", "~0").replace("/", "~1"))
    if isinstance(value, list):
        for index, child in enumerate(value):
            yield from pointers(child, f"{prefix}/{index}")


@given(json_values)
def test_every_place_has_a_pointer(document):
    for pointer, value in pointers(document):
        assert resolve(document, pointer) == value


@pytest.mark.parametrize("pointer", ["/b", "/a/2", "/a/-1", "/a/x", "/a/0/y", "/a/٣"])
def test_a_pointer_to_nothing_is_an_error(pointer):
    with pytest.raises(PointerError, match="nothing at"):
        resolve({"a": [1, 2]}, pointer)
