"""The matrix hides no survivor, counts no kill that was not shown, and adds up."""

import pytest
from hypothesis import given
from selftest_samples import listed, matrices, trial

from harness.errors import ExitCode
from harness.model import Family
from harness.selftest.matrix import CONFIDENCE, detection, exit_code, false_rejects, matrix
from harness.selftest.model import AS_IT_SHOULD, Kind, Result


def numbers(counts):
    return counts.model_dump(exclude={"of"})


@given(matrices())
def test_every_entry_is_counted_once(made):
    entries, trials = made
    found = matrix(entries, trials)
    assert [row.entry for row in found.rows] == entries
    for kind, counts in ((Kind.FAULT, found.faults), (Kind.BENIGN, found.benign)):
        assert counts.of == sum(numbers(counts).values()) == sum(entry.kind is kind for entry in entries)
    assert sum(each.faults.of + each.benign.of for each in found.families) == len(entries)
    for name in numbers(found.faults):
        assert sum(getattr(each.faults, name) for each in found.families) == getattr(found.faults, name)


@given(matrices())
def test_what_was_not_shown_to_be_active_is_never_counted_as_killed(made):
    entries, trials = made
    found = matrix(entries, trials)
    inactive = {name for name, each in trials.items() if each.result is Result.INACTIVE}
    assert inactive.isdisjoint(name for each in found.kills for name in (*each.killed, *each.missed))
    killed = {name for name, each in trials.items() if each.result is Result.KILLED}
    assert found.faults.killed == len(killed)
    assert found.detection.hits == len(killed)
    assert {name for each in found.kills for name in each.killed} == killed
    assert found.faults.inactive + found.benign.inactive == len(inactive)


def test_kills_by_a_suite_that_the_entry_adds_to_are_told_apart():
    entries = [
        listed("a"),
        *(listed(name).model_copy(update={"extended": True}) for name in ("b", "c")),
        listed("d", Kind.BENIGN).model_copy(update={"extended": True}),
    ]
    results = {"a": Result.KILLED, "b": Result.KILLED, "c": Result.SURVIVED}
    trials = {name: trial(name, result) for name, result in results.items()}
    trials["d"] = trial("d", Result.PROMOTED, Kind.BENIGN)
    found = matrix(entries, trials)
    assert (found.faults.killed, found.killed_extended) == (2, 1)


@given(matrices())
def test_a_survivor_is_never_hidden(made):
    entries, trials = made
    found = matrix(entries, trials)
    survivors = {name for name, each in trials.items() if each.result is Result.SURVIVED}
    assert {row.entry.name for row in found.rows if row.result is Result.SURVIVED} == survivors
    assert survivors == {
        name for each in found.kills for name in each.missed if trials[name].result is Result.SURVIVED
    }
    if survivors:
        assert found.detection.seen < 1
        assert exit_code([row.result for row in found.rows]) is ExitCode.REJECT


@given(matrices())
def test_only_what_is_all_as_it_should_be_exits_with_zero(made):
    entries, trials = made
    results = [row.result for row in matrix(entries, trials).rows]
    assert (exit_code(results) is ExitCode.PROMOTE) == (bool(results) and set(results) <= AS_IT_SHOULD)


@given(matrices())
def test_bounds_are_on_the_bad_side_of_what_was_seen(made):
    found = matrix(*made)
    for share, lower in ((found.detection, True), (found.false_rejects, False)):
        assert 0 <= share.hits <= share.samples
        assert 0 <= share.bound <= 1
        assert (share.seen is None) == (share.samples == 0)
        if share.seen is not None:
            assert share.bound <= share.seen if lower else share.bound >= share.seen


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([Result.KILLED, Result.PROMOTED], ExitCode.PROMOTE),
        ([Result.KILLED, Result.SURVIVED, Result.ERROR], ExitCode.REJECT),
        ([Result.WRONG_REASON], ExitCode.REJECT),
        ([Result.FALSE_REJECT, Result.INACTIVE], ExitCode.REJECT),
        ([Result.KILLED, Result.ERROR, Result.UNDECIDED], ExitCode.INFRASTRUCTURE),
        ([Result.KILLED, Result.UNDECIDED], ExitCode.INCONCLUSIVE),
        ([Result.KILLED, Result.INACTIVE], ExitCode.INCONCLUSIVE),
        ([Result.KILLED, None], ExitCode.INCONCLUSIVE),
        ([], ExitCode.INCONCLUSIVE),
    ],
)
def test_the_worst_result_is_the_exit_code(results, code):
    assert exit_code(results) is code


def test_a_fault_that_the_gate_could_not_tell_counts_as_missed():
    entries = [listed(name) for name in "abcd"]
    results = (Result.KILLED, Result.UNDECIDED, Result.INACTIVE, Result.ERROR)
    trials = {name: trial(name, result) for name, result in zip("abcd", results, strict=True)}
    found = detection(matrix(entries, trials).faults)
    assert (found.hits, found.samples, found.seen) == (1, 2, 0.5)


def test_bounds_are_those_of_clopper_and_pearson():
    """Of n of n the lower bound is the n-th root of alpha; of 0 of n the upper one is one less that root."""
    entries = [*(listed(f"f{n}") for n in range(10)), *(listed(f"b{n}", Kind.BENIGN) for n in range(10))]
    trials = {
        entry.name: trial(
            entry.name, Result.KILLED if entry.kind is Kind.FAULT else Result.PROMOTED, entry.kind
        )
        for entry in entries
    }
    found = matrix(entries, trials)
    root = (1 - CONFIDENCE) ** (1 / 10)
    assert detection(found.faults).bound == pytest.approx(root)
    assert false_rejects(found.benign).bound == pytest.approx(1 - root)


def test_a_check_that_was_not_asked_has_missed_nothing():
    entries = [listed("a", checks=("golden.single", "contract.openapi"))]
    (kills,) = matrix(entries, {"a": trial("a")}).kills
    assert (kills.check, kills.killed, kills.missed) == ("golden.single", ("a",), ())


def test_a_trial_of_what_is_no_longer_in_the_catalogue_counts_for_nothing():
    found = matrix([listed("a")], {"b": trial("b")})
    assert (found.faults.of, found.faults.untried, found.kills) == (1, 1, ())


def test_families_are_in_the_order_of_reports():
    entries = [listed("a", family=None), listed("b", family=Family.LATENCY), listed("c", family=Family.IMAGE)]
    assert [each.family for each in matrix(entries, {}).families] == [Family.IMAGE, Family.LATENCY, None]
