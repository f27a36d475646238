"""Which checks a run makes, and which families it says it does not."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from harness.checks.interface import Stage
from harness.checks.table import CHECKS
from harness.errors import UsageError
from harness.model import Capability, Family
from harness.plan import make_plan


def check(name, stage=Stage.SHARED, needs=(), applies=True):
    family = Family(name.partition(".")[0])
    return SimpleNamespace(
        id=name, family=family, stage=stage, needs=frozenset(needs), applies=lambda _settings: applies
    )


TABLE = [
    check("latency.l", Stage.PAIRED),
    check("golden.g"),
    check("scenarios.s", Stage.FRESH),
    check("golden.h"),
]


def plan(suite, table=TABLE, only=(), skip=(), capabilities=()):
    return make_plan(suite, table, only=only, skip=skip, capabilities=capabilities)


def ids(made):
    return [[planned.check.id for planned in group] for group in made.groups]


def test_shared_first_then_fresh_then_paired(suite):
    assert ids(plan(suite)) == [["golden.g", "golden.h"], ["scenarios.s"], ["latency.l"]]


def test_what_is_compared_shares_its_targets_before_what_is_measured(suite):
    table = [*TABLE, check("golden.q", Stage.COMPARED), check("golden.r", Stage.COMPARED)]
    assert ids(plan(suite, table)) == [
        ["golden.g", "golden.h"],
        ["scenarios.s"],
        ["golden.q", "golden.r"],
        ["latency.l"],
    ]


def test_aspects_that_a_planned_family_leaves_out_are_told(suite, monkeypatch):
    settings = suite.config.golden
    monkeypatch.setattr(type(settings), "not_declared", lambda _self: ("golden.g: the sum of rows",))
    assert "golden.g: the sum of rows" in plan(suite).undeclared
    assert "golden.g: the sum of rows" not in plan(suite, only={Family.LATENCY}).undeclared


def test_only_and_skip_make_it_partial(suite):
    assert not plan(suite).partial
    assert plan(suite, only={Family.GOLDEN}).partial
    skipped = plan(suite, skip={Family.LATENCY})
    assert skipped.partial
    assert ids(skipped) == [["golden.g", "golden.h"], ["scenarios.s"]]


def test_required_comes_from_the_policy(suite):
    assert {planned.check.id: planned.required for planned in plan(suite).checks} == {
        "golden.g": True,
        "golden.h": True,
        "scenarios.s": False,
        "latency.l": False,
    }


def test_what_is_asked_for_is_required(suite):
    made = plan(suite, only={Family.SCENARIOS})
    assert [(planned.check.id, planned.required) for planned in made.checks] == [("scenarios.s", True)]


def test_the_lifecycle_may_be_required_as_it_is_always_checked(suite):
    policy = suite.config.policy.model_copy(update={"required": (Family.GOLDEN, Family.LIFECYCLE)})
    made = plan(replace(suite, config=suite.config.model_copy(update={"policy": policy})))
    assert made.not_declared == ()
    assert Family.LIFECYCLE not in made.undeclared


def test_a_lifecycle_that_could_be_declared_and_is_not_is_told(suite):
    made = plan(suite, table=[*TABLE, check("lifecycle.l")])
    assert Family.LIFECYCLE in made.undeclared
    assert made.not_declared == ()


def test_a_required_family_without_checks_is_told(suite):
    without = plan(suite, table=[check("scenarios.s")])
    assert without.not_declared == (Family.GOLDEN,)


def test_a_family_that_could_be_declared_and_is_not_is_told(suite):
    made = plan(suite, table=[check("scenarios.s"), check("telemetry.t")])
    assert Family.TELEMETRY in made.undeclared
    assert Family.DRIFT not in made.undeclared


def test_a_partial_run_does_not_require_what_it_leaves_out(suite):
    assert (
        plan(suite, table=[check("scenarios.s"), check("golden.g")], skip={Family.GOLDEN}).not_declared == ()
    )


def test_a_check_whose_inputs_are_not_declared_is_not_planned(suite):
    made = plan(suite, table=[check("golden.g"), check("golden.h", applies=False)])
    assert ids(made) == [["golden.g"]]
    assert "golden.h" in made.undeclared
    assert "golden" not in made.undeclared


def test_a_family_none_of_whose_inputs_are_declared_is_told_as_a_whole(suite):
    made = plan(suite, table=[check("golden.g", applies=False), check("scenarios.s")])
    assert made.not_declared == (Family.GOLDEN,)
    assert [name for name in made.undeclared if name.startswith("golden")] == ["golden"]


def test_only_an_undeclared_family_is_a_mistake(suite):
    with pytest.raises(UsageError, match="--only fuzz") as caught:
        plan(suite, only={Family.FUZZ})
    assert "golden" in caught.value.fix


def test_nothing_left_is_a_mistake(suite):
    with pytest.raises(UsageError, match="no check is left"):
        plan(suite, only={Family.GOLDEN}, skip={Family.GOLDEN})


def test_a_check_that_lacks_a_capability_is_kept_apart(suite):
    made = plan(suite, table=[check("golden.g", needs={Capability.CONTAINER})])
    assert made.groups == ()
    assert made.not_applicable[0].missing is Capability.CONTAINER


def test_every_check_of_the_table_has_its_family_in_its_id_and_no_id_twice():
    names = [each.id for each in CHECKS]
    assert len(set(names)) == len(names)
    assert all(each.id.startswith(f"{each.family.value}.") for each in CHECKS)
