"""What TOML may hold and no later step could bear is refused where it is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config.toml import MOST_LEVELS, parse_toml
from harness.errors import ConfigError


def problem(text):
    with pytest.raises(ConfigError) as caught:
        parse_toml(text, "the/file.toml")
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "a = ",
        "a = " + "1" * 5000,  # Python refuses so many digits with an error of its own
        "a = " + "[" * 5000,
        "a = " + "{b = " * 2000,
        "a = 1\na = 2",
    ],
    ids=["cut", "digits", "arrays", "tables", "twice"],
)
def test_what_is_no_toml(text):
    assert problem(text).startswith("the/file.toml: not TOML: ")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("port = 0x" + "f" * 5000, "port"),
        ("[a]\nb = [1, 9223372036854775808]", "a.b.1"),
        ("a.b.c = -9223372036854775809", "a.b.c"),
    ],
    ids=["digits", "in a list", "negative"],
)
def test_an_integer_beyond_64_bits_is_named(text, key):
    assert problem(text).startswith(f"the/file.toml: {key}: an integer beyond 64 bits")


def test_the_largest_integers_are_read():
    assert parse_toml("a = 9223372036854775807\nb = -9223372036854775808", "f")["a"] == 2**63 - 1


@pytest.mark.parametrize("levels", [MOST_LEVELS, 5000])
def test_dotted_keys_nest_without_recursion_and_are_refused(levels):
    text = ".".join(["a"] * levels)
    assert problem(f"{text} = 1").startswith("the/file.toml: a.a.a.")
    assert f"nested more than {MOST_LEVELS} levels" in problem(f"{text} = 1")


def test_as_deep_as_may_be():
    text = ".".join(["a"] * (MOST_LEVELS - 1))
    value = parse_toml(f"{text} = 1", "f")
    for _ in range(MOST_LEVELS - 1):
        value = value["a"]
    assert value == 1


def told(text):
    """The error; the file's name where there is none."""
    try:
        parse_toml(text, "the/file.toml")
    except ConfigError as error:
        return str(error)
    return "the/file.toml"


@given(st.text(max_size=200))
def test_any_text_is_a_document_or_a_clear_error(text):
    assert told(text).startswith("the/file.toml")
