import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.fuzz.shrink import effort, shrunk, simpler

MANY = 100_000
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)


def leaves(value):
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    else:
        yield value


def is_negative(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and value < 0


@pytest.mark.parametrize(
    ("value", "fails", "least"),
    [
        ({"a": 1, "b": [3.5, -7.25, 2], "c": "x"}, lambda v: any(map(is_negative, leaves(v))), {"b": [-1]}),
        ({"a": 1, "b": 2}, lambda v: "b" in v, {"b": 0}),
        ({"a": "xyz", "b": 2}, lambda v: len(v.get("a", "")) >= 2, {"a": "aa"}),
        ({"n": 123456.75}, lambda v: v.get("n", 0) > 100, {"n": 123}),
        ([5, 6, 7, 8], lambda v: len(v) >= 3, [0, 0, 0]),
        (
            {"a": {"b": {"c": [1, {"d": "deep"}]}}},
            lambda v: '"d"' in json.dumps(v),
            {"a": {"b": {"c": [{"d": ""}]}}},
        ),
        ("text", lambda _: True, ""),
        (None, lambda _: True, None),
    ],
)
def test_what_is_left_is_what_it_takes(value, fails, least):
    found = shrunk(value, fails, most=MANY)
    assert fails(found)
    if least is not None:
        assert found == least
    assert effort(found) <= effort(value)


def by_leaves(threshold):
    return lambda value: sum(1 for leaf in leaves(value) if leaf not in (0, "", None)) >= threshold


@given(value=JSON, threshold=st.integers(0, 3))
def test_it_still_fails_is_no_larger_and_nothing_simpler_fails(value, threshold):
    fails = by_leaves(threshold)
    if not fails(value):
        return
    found = shrunk(value, fails, most=MANY)
    assert fails(found)
    assert effort(found) <= effort(value)
    assert not [c for c in simpler(found) if effort(c) < effort(found) and fails(c)]


@given(value=JSON, threshold=st.integers(0, 3), most=st.integers(0, 20))
def test_it_asks_no_more_than_it_may_nothing_twice_and_each_time_the_same(value, threshold, most):
    runs = []
    for _ in range(2):
        asked = []

        def fails(candidate, asked=asked):
            asked.append(effort(candidate))
            return by_leaves(threshold)(candidate)

        runs.append((effort(shrunk(value, fails, most=most)), asked))
    assert runs[0] == runs[1]
    assert len(runs[0][1]) <= most
    assert len(set(runs[0][1])) == len(runs[0][1])


@given(JSON)
def test_what_is_never_seen_again_stays_as_it_was(value):
    assert shrunk(value, lambda _: False, most=MANY) == value


@pytest.mark.parametrize("value", [math.inf, -math.inf, 1e308, -5e-324, 10**400])
def test_any_number_ends(value):
    assert shrunk(value, lambda v: v != 0, most=MANY) == 1
