"""What a gate's report means for a fault and for a benign change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selftest_samples import check, gate_reports, report

from harness.model import Decision, ErrorKind, Family, Outcome
from harness.selftest.catalogue import BenignSettings, FaultSettings
from harness.selftest.model import Result
from harness.selftest.outcome import (
    failed_findings,
    is_any_of,
    may_be_asked_again,
    of_benign,
    of_entry,
    of_fault,
    of_injected,
    unexplained,
)

FAULT = FaultSettings.model_validate(
    {
        "does": "is off by one",
        "family": "golden",
        "caught_by": {
            "golden.single": ["golden.single.y"],
            "golden.batch": ["golden.batch.y", "golden.batch.z.*"],
            "contract.openapi": ["contract.openapi.x"],
        },
        "may_also_fail": ["golden.single.z"],
    }
)
SLOW = FaultSettings.model_validate(
    {
        "does": "is slow",
        "family": "latency",
        "caught_by": {"latency.paired": ["latency.paired.p99"]},
        "undecided": "where not measured",
    }
)
BENIGN = BenignSettings.model_validate({"does": "x", "family": "golden", "near": ["golden.single"]})
SINGLE = check("golden.single", Outcome.FAIL, "golden.single.y")
BATCH = check("golden.batch", Outcome.FAIL, "golden.batch.y", "golden.batch.z.rows")
OPENAPI = check("contract.openapi", Outcome.FAIL, "contract.openapi.x")
ALIVE = check("lifecycle.target")


def result(*checks, decision=Decision.REJECT, partial=True, declared=FAULT):
    return of_fault(declared, report(decision, *checks, partial=partial)).result


def test_every_declared_finding_and_no_other_kills():
    assert result(SINGLE, BATCH, ALIVE) is Result.KILLED


def test_what_may_also_fail_may():
    both = check("golden.single", Outcome.FAIL, "golden.single.y", "golden.single.z")
    assert result(both, BATCH) is Result.KILLED


def test_a_finding_that_begins_like_the_declared_one_is_no_such_finding():
    """A comparison of the elements that fails nothing is found out, though the bias over them is seen."""
    bias = check("golden.single", Outcome.FAIL, "golden.single.y.bias")
    allowed = FAULT.model_copy(update={"may_also_fail": ("golden.single.y.*",)})
    judged = of_fault(allowed, report(Decision.REJECT, bias, BATCH))
    assert (judged.result, judged.why) == (Result.WRONG_REASON, "it did not fail: golden.single.y")


@pytest.mark.parametrize(
    ("found", "declared", "expected"),
    [
        ("golden.single.y", ["golden.single.y"], True),
        ("golden.single.y.p50", ["golden.single.y"], False),
        ("golden.single.y.p50", ["golden.single.y.*"], True),
        ("golden.single.y", ["golden.single.y.*"], False),
        ("golden.metadata./a", ["golden.metadata./b", "golden.metadata./*"], True),
        ("golden.single", [], False),
    ],
)
def test_an_id_is_the_declared_one_or_begins_so_where_that_ends_in_a_star(found, declared, expected):
    assert is_any_of(found, declared) is expected


def test_the_whole_gate_has_to_fail_in_every_declared_family():
    assert result(SINGLE, BATCH, check("contract.openapi"), partial=False) is Result.WRONG_REASON
    assert result(SINGLE, BATCH, OPENAPI, partial=False) is Result.KILLED


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (check("latency.paired", Outcome.FAIL, "latency.paired.p50.slo"), Result.KILLED),
        (check("fuzz.raw", Outcome.FAIL), Result.KILLED),
        (check("golden.loaded", Outcome.FAIL, "golden.loaded.y"), Result.WRONG_REASON),
        (check("golden.loaded", Outcome.FAIL), Result.WRONG_REASON),
        (check("lifecycle.target", Outcome.FAIL, "lifecycle.target.alive"), Result.WRONG_REASON),
    ],
)
def test_other_families_may_see_it_too_where_they_are_asked(other, expected):
    assert result(SINGLE, BATCH, OPENAPI, other, partial=False) is expected


def test_other_families_alone_are_the_wrong_reason():
    others = (check("golden.single"), check("golden.batch"), OPENAPI)
    assert result(*others, partial=False) is Result.WRONG_REASON


@pytest.mark.parametrize(
    "checks",
    [
        (SINGLE, check("golden.batch")),
        (SINGLE, check("golden.batch", Outcome.FAIL, "golden.batch.y")),
        (check("golden.single", Outcome.FAIL, "golden.single.y", "golden.single.label"), BATCH),
        (check("golden.single", Outcome.FAIL, "golden.single.y", "golden.single.y.bias"), BATCH),
        (check("golden.single", Outcome.FAIL, "golden.single.z"), BATCH),
        (SINGLE, check("golden.batch", Outcome.FAIL, "golden.batch.y", "golden.batch.z")),
        (SINGLE, BATCH, check("lifecycle.target", Outcome.FAIL, "lifecycle.target.alive")),
        (SINGLE, BATCH, check("lifecycle.target", Outcome.FAIL)),
        (
            ALIVE,
            check("golden.single", Outcome.SKIP),
            check("lifecycle.drain", Outcome.FAIL, "lifecycle.drain.x"),
        ),
    ],
    ids=[
        "a check passed",
        "a finding is missing",
        "another finding",
        "one that begins so",
        "only what may",
        "none that begins so",
        "another check",
        "as a whole",
        "died",
    ],
)
def test_any_other_rejection_is_of_the_wrong_reason(checks):
    assert result(*checks) is Result.WRONG_REASON


def test_a_promote_is_survived_even_if_an_optional_check_noticed():
    optional = check("golden.single", Outcome.FAIL, "golden.single.y", required=False)
    assert result(optional, decision=Decision.PROMOTE) is Result.SURVIVED


def test_a_check_that_has_to_fail_and_passes_is_survived_though_others_are_open():
    """The gate did not promote it, and yet nothing noticed the fault."""
    passed = (check("golden.single"), check("golden.batch"))
    lag = check("golden.quality", Outcome.INCONCLUSIVE)
    assert result(*passed, lag, decision=Decision.INCONCLUSIVE) is Result.SURVIVED


def test_a_declared_check_that_could_not_tell_leaves_it_undecided():
    open_ = check("golden.batch", Outcome.INCONCLUSIVE, "golden.batch.y")
    assert result(check("golden.single"), open_, decision=Decision.INCONCLUSIVE) is Result.UNDECIDED
    assert result(SINGLE, open_) is Result.UNDECIDED


def test_an_error_of_ours_is_an_error():
    broken = check("golden.batch", Outcome.ERROR, error=ErrorKind.INFRASTRUCTURE)
    judged = of_fault(FAULT, report(Decision.INCONCLUSIVE, check("golden.single"), broken))
    assert judged.result is Result.ERROR
    assert judged.why == "golden.batch: the engine was gone"


def test_a_benign_change_is_promoted():
    assert of_benign(report(Decision.PROMOTE, check("golden.single"))).result is Result.PROMOTED


def test_a_benign_change_that_an_optional_check_failed_is_rejected_falsely():
    optional = check("telemetry.metrics", Outcome.FAIL, "telemetry.metrics.requests", required=False)
    judged = of_benign(report(Decision.PROMOTE, check("golden.single"), optional))
    assert (judged.result, judged.why) == (Result.FALSE_REJECT, "it failed: telemetry.metrics.requests")


def test_a_benign_change_that_nothing_could_tell_is_undecided():
    open_ = check("latency.paired", Outcome.INCONCLUSIVE, "latency.paired.p99")
    judged = of_benign(report(Decision.INCONCLUSIVE, open_))
    assert (judged.result, judged.why) == (Result.UNDECIDED, "without a judgement: latency.paired")


@pytest.mark.parametrize(
    ("families", "expected"),
    [({Family.GOLDEN, Family.FUZZ}, Result.KILLED), ({Family.FUZZ}, Result.WRONG_REASON)],
)
def test_an_injected_fault_is_killed_by_a_family_that_could_notice_it(families, expected):
    assert of_injected(families, report(Decision.REJECT, SINGLE)).result is expected
    assert of_injected(families, report(Decision.PROMOTE, check("golden.single"))).result is Result.SURVIVED


BOTH = check("golden.single", Outcome.FAIL, "golden.single.y", "golden.single.z")


@pytest.mark.parametrize(
    ("checks", "without", "expected"),
    [
        ((SINGLE,), {"golden.single.y"}, Result.UNDECIDED),
        ((BOTH,), {"golden.single.y"}, Result.KILLED),
        ((SINGLE, BATCH), {"golden.single.y"}, Result.KILLED),
        ((OPENAPI, check("golden.single")), {"contract.openapi.x"}, Result.SURVIVED),
        ((OPENAPI, check("golden.single")), {"golden.single.y"}, Result.WRONG_REASON),
        ((check("golden.single", Outcome.FAIL),), {"golden.single"}, Result.UNDECIDED),
        ((SINGLE,), {"golden.single"}, Result.UNDECIDED),
    ],
)
def test_what_fails_without_a_fault_is_no_kill(checks, without, expected):
    assert of_injected({Family.GOLDEN}, report(Decision.REJECT, *checks), without).result is expected


def test_what_an_optional_check_notices_is_no_kill_where_the_gate_rejects_for_what_fails_anyway():
    optional = check("golden.batch", Outcome.FAIL, "golden.batch.y", required=False)
    of = report(Decision.REJECT, OPENAPI, optional)
    assert of_injected({Family.GOLDEN}, of, {"contract.openapi.x"}).result is Result.SURVIVED


def test_what_only_an_optional_check_of_its_family_notices_is_no_kill_where_others_reject():
    optional = check("telemetry.metrics", Outcome.FAIL, "telemetry.metrics.requests", required=False)
    of = report(Decision.REJECT, SINGLE, optional)
    assert of_injected({Family.TELEMETRY}, of).result is Result.WRONG_REASON
    assert of_injected({Family.TELEMETRY, Family.GOLDEN}, of).result is Result.KILLED


@given(gate_reports(), st.sets(st.sampled_from(["golden.single.y", "golden.batch", "contract.openapi"])))
def test_a_kill_is_by_what_does_not_fail_without_a_fault(of, without):
    if of_injected({Family.GOLDEN}, of, without).result is Result.KILLED:
        assert not without & {each for ids in unexplained(of, without).values() for each in ids}
        assert any(name.startswith("golden.") for name in unexplained(of, without))
    assert of_injected({Family.GOLDEN}, of) == of_injected({Family.GOLDEN}, of, {"golden.batch.x"})


OPEN_LATENCY = check("latency.paired", Outcome.INCONCLUSIVE, "latency.paired.p99")


@pytest.mark.parametrize(
    ("declared", "checks", "decision", "expected"),
    [
        (SLOW, [OPEN_LATENCY], Decision.INCONCLUSIVE, True),
        (BENIGN, [OPEN_LATENCY], Decision.INCONCLUSIVE, True),
        (BENIGN, [OPEN_LATENCY, check("golden.single", Outcome.INCONCLUSIVE)], Decision.INCONCLUSIVE, False),
        (SLOW.model_copy(update={"undecided": None}), [OPEN_LATENCY], Decision.INCONCLUSIVE, False),
        (SLOW, [check("latency.paired")], Decision.PROMOTE, False),
        (BENIGN, [OPEN_LATENCY, SINGLE], Decision.REJECT, False),
    ],
)
def test_only_a_latency_that_was_not_measured_is_asked_again(declared, checks, decision, expected):
    of = report(decision, *checks)
    assert may_be_asked_again(declared, of_entry(declared, of), of) is expected


@given(gate_reports())
def test_a_fault_is_killed_only_by_a_reject_in_which_all_that_failed_was_declared(of):
    judged = of_fault(FAULT, of)
    expected = FAULT.expected(own_family=of.partial)
    failed = failed_findings(of)
    if judged.result is Result.KILLED:
        assert of.decision is Decision.REJECT
        assert set(expected) <= set(failed)
        found = {each for ids in failed.values() for each in ids}
        assert found <= {
            "golden.single.y",
            "golden.single.z",
            "golden.batch.y",
            "golden.batch.z.rows",
            "contract.openapi.x",
        }
        assert {"golden.single.y", "golden.batch.y", "golden.batch.z.rows"} <= found
        assert not judged.why
    else:
        assert judged.why


@given(gate_reports())
def test_what_was_promoted_is_never_killed_and_what_is_benign_never_a_kill(of):
    assert of_fault(FAULT, of).result not in {Result.PROMOTED, Result.FALSE_REJECT}
    if of.decision is Decision.PROMOTE:
        assert of_fault(FAULT, of).result is Result.SURVIVED
    benign = of_benign(of).result
    assert benign in {Result.PROMOTED, Result.FALSE_REJECT, Result.UNDECIDED, Result.ERROR}
    if failed_findings(of):
        assert benign is Result.FALSE_REJECT
