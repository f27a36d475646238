"""Which gates a trial is made of, and which of them are alone."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model import Family
from harness.selftest.catalogue import BenignSettings, Entry, FaultSettings
from harness.selftest.model import Mode
from harness.selftest.proxy import built_in_faults, pass_through
from harness.selftest.rounds import Round, rounds_of, rounds_of_injected

CAUGHT_BY = {"golden.single": ("golden.single.score",), "contract.openapi": ("contract.openapi.x",)}
GOLDEN = frozenset({Family.GOLDEN})
LATENCY = frozenset({Family.LATENCY})
SINGLE = frozenset({"golden.single"})
WHOLE = Round(alone=True)
FAULT = Entry(Path("faults/x"), FaultSettings(does="x", family=Family.GOLDEN, caught_by=CAUGHT_BY))


def benign(family):
    return Entry(Path("benign/x"), BenignSettings(does="x", family=family, near=("golden.single",)))


def test_a_fault_meets_its_own_checks_or_the_whole_gate():
    assert rounds_of(FAULT, Mode.QUICK, Family) == (Round(only=GOLDEN, checks=SINGLE, alone=False),)
    assert rounds_of(FAULT, Mode.FULL, Family) == (WHOLE,)


def test_a_fault_of_the_latency_is_alone():
    caught_by = {"latency.paired": ("latency.paired.p50",)}
    entry = Entry(Path("x"), FaultSettings(does="x", family=Family.LATENCY, caught_by=caught_by))
    (only,) = rounds_of(entry, Mode.QUICK, Family)
    assert only.alone


@pytest.mark.parametrize(
    ("family", "checks"), [(Family.GOLDEN, frozenset({"latency.paired"})), (Family.LATENCY, frozenset())]
)
def test_a_benign_change_meets_the_latency_by_itself(family, checks):
    apart = (Round(skip=LATENCY, alone=False), Round(only=LATENCY, checks=checks, alone=True))
    assert rounds_of(benign(family), Mode.QUICK, Family) == apart
    assert rounds_of(benign(family), Mode.FULL, Family) == (WHOLE,)


@given(st.sampled_from(Mode), st.frozensets(st.sampled_from(Family), min_size=1))
def test_a_benign_change_meets_every_family_of_its_suite_once(mode, families):
    rounds = rounds_of(benign(Family.GOLDEN), mode, families)
    met = [family for part in rounds for family in (part.only or families) - part.skip]
    assert sorted(met) == sorted(families)
    assert [part.alone for part in rounds] == [
        Family.LATENCY in (part.only or families) - part.skip for part in rounds
    ]


@given(st.sampled_from(built_in_faults()), st.frozensets(st.sampled_from(Family)))
def test_a_fault_of_the_proxy_meets_the_likeliest_family_first(injected, families):
    rounds = rounds_of_injected(injected, Mode.QUICK, families)
    if injected == pass_through():
        assert rounds == (Round(alone=Family.LATENCY in families),)
        return
    asked = [family for family in injected.families if family in families]
    if not asked and Family.LIFECYCLE in injected.families:  # that it lives is seen by whatever is asked
        assert rounds == (Round(alone=Family.LATENCY in families),)
        return
    assert [part.only for part in rounds] == [frozenset(part) for part in (asked[:1], asked[1:]) if part]
    assert [part.alone for part in rounds] == [Family.LATENCY in part.only for part in rounds]
