"""What `--only` names: families, checks, or neither."""

import pytest

from harness.errors import UsageError
from harness.model import Family
from harness.selection import selection


@pytest.mark.parametrize(
    ("names", "families", "checks"),
    [
        ([], set(), set()),
        (["golden"], {Family.GOLDEN}, set()),
        (["golden.single"], {Family.GOLDEN}, {"golden.single"}),
        (["golden.single", "fuzz"], {Family.GOLDEN, Family.FUZZ}, {"golden.single"}),
        (["golden.single", "golden"], {Family.GOLDEN}, set()),
    ],
)
def test_families_and_checks(names, families, checks):
    assert selection(names) == (families, checks)


def test_neither_is_refused():
    with pytest.raises(UsageError, match="--only nothing: no such family or check"):
        selection(["nothing"])


@pytest.mark.parametrize(("name", "meant"), [("goldn", "golden"), ("golden.singel", "golden.single")])
def test_what_was_meant(name, meant):
    with pytest.raises(UsageError) as caught:
        selection([name])
    assert caught.value.fix.startswith(f"did you mean {meant!r}? ")
