import pytest

from harness.errors import ConfigError, shown


def nested(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "expected"), [(nested(100_000), "<list>"), (10**5000, "<int>")], ids=["deep", "long"]
)
def test_what_has_no_repr_is_shown_by_its_type(value, expected):
    assert shown(value) == expected
    assert expected in str(ConfigError(file="f", key="k", value=value, problem="is wrong"))


def test_what_is_long_is_cut():
    assert shown("x" * 1000) == "'" + "x" * 76 + "..."
