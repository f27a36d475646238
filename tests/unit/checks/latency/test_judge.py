"""The latency judge on made samples: what must pass, what must fail, what must stay undecided."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.gpu_usage import GpuSample, GpuUsage
from harness.checks.latency.judge import judge, should_stop
from harness.checks.latency.limits import LatencyLimits
from harness.checks.latency.settings import LatencySettings
from harness.checks.latency.usage import Usage
from harness.load import RequestOutcome, Samples
from harness.model import Capability, Outcome

BLOCK = 100
QUANTILES = ("p50", "p95", "p99")
SLOS = LatencyLimits.model_validate(
    {"p50": {"slo_ms": 25.0}, "p95": {"slo_ms": 50.0}, "p99": {"slo_ms": 100.0}}
)


def make_samples(sides_s, lag_s=0.0, failure=RequestOutcome.WRONG_STATUS):
    """Samples in blocks of 100 arrivals; `sides_s` holds response times in seconds, inf for a failure."""
    response_s = np.stack(sides_s, axis=1).reshape(-1)
    sides, n = len(sides_s), response_s.size
    intended_s = np.arange(n) * 0.01 / sides
    failed = np.isinf(response_s)
    blocks = -(-n // (BLOCK * sides))
    return Samples(
        side=np.tile(np.arange(sides), n // sides).astype(np.int8),
        block=(np.arange(n) // (BLOCK * sides)).astype(np.int32),
        payload=np.zeros(n, dtype=np.int32),
        intended_s=intended_s,
        sent_s=intended_s + lag_s,
        done_s=intended_s + np.where(failed, 1.0, response_s),
        status=np.where(failed, 503, 200).astype(np.int16),
        outcome=np.where(failed, failure, RequestOutcome.OK).astype(np.int8),
        body_bytes=np.zeros(n, dtype=np.int32),
        heartbeat_s=np.zeros(1),
        cpu_s=np.full(blocks, 0.1),
        wall_s=np.ones(blocks),
    )


def make_usage(*sides_s, blocks=30, noise=0.01, mib=(60.0, 60.0), seed=1):
    """CPU seconds of each side in all blocks together, and memory in MiB."""
    rng = np.random.default_rng(seed)
    cpu_s = np.array(sides_s) / 30 * np.exp(noise * rng.standard_normal((blocks, len(sides_s))))
    return Usage(
        cpu_s=tuple(map(tuple, cpu_s.tolist())),
        memory_bytes=(tuple(int(each * 2**20) for each in mib[-len(sides_s) :]),) * blocks,
    )


def make_evidence(sides_s, lag_s=0.0, failure=RequestOutcome.WRONG_STATUS, **changes):
    asked = {
        "expected": 299,
        "executed": len(sides_s[-1]),
        "sides": ("reference", "candidate")[-len(sides_s) :],
        "rate_per_s": 100.0,
        "planned_blocks": 30,
        "seed": 1,
        "unix_offset_s": 0.0,
        "usage": make_usage(*([10.0] * len(sides_s)), blocks=-(-len(sides_s[-1]) // BLOCK)),
        "samples": make_samples(sides_s, lag_s, failure),
    }
    return LatencyEvidence(**(asked | changes))


def times(seed, n=3000, factor=1.0, sigma=0.1):
    return 0.002 * factor * np.exp(sigma * np.random.default_rng(seed).standard_normal(n))


def outcomes(evidence, limits=None):
    return {
        finding.id.removeprefix("latency.paired."): finding.outcome
        for finding in judge(evidence, limits or LatencyLimits())
    }


def test_an_equal_candidate_passes_everything():
    evidence = make_evidence([times(1), times(2)])
    assert set(outcomes(evidence).values()) == {Outcome.PASS}
    assert should_stop(evidence, LatencyLimits())


def test_a_slow_candidate_fails_each_quantile_and_nothing_else():
    found = outcomes(make_evidence([times(1), times(2, factor=2.0)]))
    failed = {name for name, outcome in found.items() if outcome is Outcome.FAIL}
    assert failed == {"p50.ratio", "p95.ratio", "p99.ratio"}


def test_rare_stalls_fail_p99_only():
    stalls = np.where(np.random.default_rng(3).random(3000) < 0.02, 0.02, 0.0)
    found = outcomes(make_evidence([times(1), times(2) + stalls]))
    assert found["p99.ratio"] is Outcome.FAIL
    assert found["p50.ratio"] is found["p95.ratio"] is found["error_rate"] is Outcome.PASS


def test_errors_answered_fast_fail_and_do_not_flatter():
    fast = times(2, factor=0.5)
    fast[::20] = math.inf
    found = outcomes(make_evidence([times(1), fast]))
    assert found["error_rate"] is Outcome.FAIL
    assert found["p99.ratio"] is Outcome.FAIL
    assert found["p50.ratio"] is Outcome.PASS


def failing(seed, share, n=3000):
    return np.where(np.random.default_rng(seed).random(n) < share, math.inf, times(seed + 1, n))


def one_failed(n=3000):
    reference = times(1, n)
    reference[7] = math.inf
    return reference


def test_a_failed_reference_request_voids_the_comparison_and_no_more():
    found = outcomes(make_evidence([one_failed(), times(2, factor=3)]), SLOS)
    assert {found[f"{name}.ratio"] for name in QUANTILES} == {Outcome.INCONCLUSIVE}
    assert found["error_rate"] is Outcome.PASS
    assert {found[f"{name}.slo"] for name in QUANTILES} == {Outcome.PASS}


def test_a_failed_reference_request_ends_the_load_once_nothing_else_is_open():
    def stops(blocks, limits):
        n = blocks * BLOCK
        return should_stop(make_evidence([one_failed(n), times(2, n)]), limits)

    assert not stops(1, LatencyLimits())
    assert not stops(4, LatencyLimits())  # the error rate is open
    assert stops(18, LatencyLimits())
    assert stops(18, SLOS)
    close = LatencyLimits.model_validate({"p50": {"slo_ms": 2.0}})
    assert not stops(18, close)


def test_a_failed_reference_request_does_not_hide_a_dead_candidate():
    evidence = make_evidence([one_failed(400), np.full(400, math.inf)])
    assert outcomes(evidence)["error_rate"] is Outcome.FAIL
    assert should_stop(evidence, LatencyLimits())


@pytest.mark.parametrize("share", [0.05, 0.5, 1.0])
def test_a_candidate_that_fails_as_the_reference_does_is_not_to_blame(share):
    evidence = make_evidence([failing(1, share), failing(5, share)])
    for limits in (LatencyLimits(), SLOS):
        found = outcomes(evidence, limits)
        assert Outcome.FAIL not in found.values()
        assert found["error_rate"] is Outcome.INCONCLUSIVE


def test_a_candidate_that_fails_as_the_reference_does_may_still_be_slow():
    evidence = make_evidence([failing(1, 0.05), failing(5, 0.05) + 0.5])
    assert outcomes(evidence, SLOS)["p50.slo"] is Outcome.FAIL


def test_a_candidate_that_fails_more_than_the_reference_is_to_blame():
    found = outcomes(make_evidence([failing(1, 0.2), failing(5, 0.4)]), SLOS)
    assert found["error_rate"] is Outcome.FAIL
    assert found["p95.slo"] is Outcome.FAIL


def test_a_candidate_that_answers_nothing_is_rejected_at_the_first_look():
    evidence = make_evidence([times(1)[:400], np.full(400, math.inf)])
    assert outcomes(evidence)["error_rate"] is Outcome.FAIL
    assert should_stop(evidence, LatencyLimits())


@pytest.mark.parametrize("lag_s", [0.05, 0.5])
def test_a_late_generator_decides_nothing_about_latency(lag_s):
    found = outcomes(make_evidence([times(1), times(2, factor=2)], lag_s=lag_s))
    assert found["generator_lag"] is Outcome.INCONCLUSIVE
    assert {found[f"{name}.ratio"] for name in ("p50", "p95", "p99")} == {Outcome.INCONCLUSIVE}


def test_a_late_generator_does_not_hide_a_dead_candidate_but_may_make_timeouts():
    sides = [times(1) + 0.05, np.full(3000, math.inf)]
    assert outcomes(make_evidence(sides, lag_s=0.05))["error_rate"] is Outcome.FAIL
    timeouts = make_evidence(sides, lag_s=0.05, failure=RequestOutcome.TIMEOUT)
    assert outcomes(timeouts)["error_rate"] is Outcome.INCONCLUSIVE


def test_a_late_generator_does_not_hide_what_is_beyond_all_of_its_lag():
    slow = times(2) + 0.05 + 0.2
    found = outcomes(make_evidence([times(1) + 0.05, slow], lag_s=0.05), SLOS)
    assert found["generator_lag"] is Outcome.INCONCLUSIVE
    assert {found[f"{name}.slo"] for name in QUANTILES} == {Outcome.FAIL}
    assert {found[f"{name}.ratio"] for name in QUANTILES} == {Outcome.INCONCLUSIVE}
    assert outcomes(make_evidence([slow], lag_s=0.05), SLOS)["p99.slo"] is Outcome.FAIL


def test_a_late_generator_breaks_no_slo_by_itself():
    found = outcomes(make_evidence([times(1) + 0.5, times(2) + 0.5], lag_s=0.5), SLOS)
    assert {found[f"{name}.slo"] for name in QUANTILES} == {Outcome.INCONCLUSIVE}


def test_what_the_lag_could_explain_is_not_the_candidates():
    found = outcomes(make_evidence([times(1) + 0.1, times(2) + 0.1 + 0.1], lag_s=0.1), SLOS)
    assert {found[f"{name}.slo"] for name in QUANTILES} == {Outcome.INCONCLUSIVE}


def test_a_slow_machine_breaks_no_slo_but_a_slow_candidate_does():
    drift = np.linspace(0.01, 0.2, 3000)
    both = outcomes(make_evidence([times(1) + drift, times(2) + drift]), SLOS)
    assert both["reference_drift"] is both["p50.slo"] is Outcome.INCONCLUSIVE
    own = outcomes(make_evidence([times(1) * np.linspace(1, 3, 3000), times(2) + 0.2]), SLOS)
    assert own["reference_drift"] is Outcome.INCONCLUSIVE
    assert own["p50.slo"] is own["p99.slo"] is Outcome.FAIL


def test_a_drifting_reference_decides_nothing_about_latency():
    drift = np.linspace(1, 3, 3000)
    found = outcomes(make_evidence([times(1) * drift, times(2) * drift]))
    assert found["reference_drift"] is Outcome.INCONCLUSIVE
    assert found["p50.ratio"] is Outcome.INCONCLUSIVE


def test_a_broken_generator_decides_nothing_about_latency():
    for candidate in (times(2), times(2) + 5.0, np.full(3000, math.inf)):
        found = outcomes(make_evidence([times(1), candidate], generator_error="it ended"), SLOS)
        assert found["generator"] is found["p95.ratio"] is found["error_rate"] is Outcome.INCONCLUSIVE
        assert Outcome.FAIL not in found.values()


def test_before_the_first_look_nothing_is_decided():
    evidence = make_evidence([times(1)[:200], times(2, factor=9)[:200]])
    assert outcomes(evidence)["samples"] is Outcome.INCONCLUSIVE
    assert Outcome.FAIL not in outcomes(evidence).values()
    assert not should_stop(evidence, LatencyLimits())


def test_between_looks_the_last_look_decides_and_nothing_stops():
    calm, slow = [times(1)[:1200], times(2)[:1200]], [times(3)[:200], times(4, factor=50)[:200]]
    evidence = make_evidence([np.concatenate(side) for side in zip(calm, slow, strict=True)])
    assert evidence.blocks == 14
    assert outcomes(evidence) == outcomes(make_evidence(calm))
    assert not should_stop(evidence, LatencyLimits())


def test_too_few_samples_are_inconclusive_and_say_how_many_it_takes():
    evidence = make_evidence([times(1)[:900], times(2)[:900]], planned_blocks=9)
    found = {finding.id: finding for finding in judge(evidence, LatencyLimits())}
    assert found["latency.paired.p99.ratio"].outcome is Outcome.INCONCLUSIVE
    assert "900 samples, it takes at least 1000" in found["latency.paired.p99.ratio"].message
    assert found["latency.paired.p95.ratio"].outcome is Outcome.PASS


def test_an_undecided_ratio_says_how_many_more_samples_it_takes():
    evidence = make_evidence([times(1, sigma=0.8), times(2, factor=1.05, sigma=0.8)])
    finding = next(f for f in judge(evidence, LatencyLimits()) if f.id == "latency.paired.p95.ratio")
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "more samples" in finding.message


def message(evidence, name, limits=None):
    findings = judge(evidence, limits or LatencyLimits())
    return next(finding.message for finding in findings if finding.id == f"latency.paired.{name}")


def test_a_ratio_that_noise_leaves_open_is_not_called_close():
    evidence = make_evidence([times(1, 400, sigma=1.0), times(2, 400, sigma=1.0, factor=4.0)])
    assert outcomes(evidence)["p50.ratio"] is Outcome.INCONCLUSIVE
    text = message(evidence, "p50.ratio")
    assert "interval 0.000 to inf" in text
    assert "too noisy" in text
    assert "so close to the limit" not in text


def test_each_quantile_is_reported_with_its_interval_and_service_time_also_without_a_limit():
    evidence = make_evidence([times(1) + 0.001, times(2) + 0.001], lag_s=0.001)
    limits = LatencyLimits.model_validate({"p95": {"slo_ms": 50.0}})
    for name in ("p50", "p95.slo", "p99"):
        assert re.search(
            r"is \d\.\d\d ms \(interval .* to .*; \d\.\d\d ms from the actual send\)",
            message(evidence, name, limits),
        )
    assert outcomes(evidence, limits)["p50"] is Outcome.PASS


def test_without_a_limit_nothing_is_passed():
    evidence = make_evidence([times(2, 1800)])
    assert outcomes(evidence)["limits"] is Outcome.INCONCLUSIVE
    assert should_stop(evidence, LatencyLimits())
    assert "limits" not in outcomes(evidence, LatencyLimits.model_validate({"p99": {"slo_ms": 50.0}}))
    assert "limits" not in outcomes(make_evidence([times(1), times(2)]))


def test_the_candidates_drift_is_not_reported_as_the_references():
    assert "reference_drift" not in make_evidence([times(2)]).validity()
    assert "reference_drift" in make_evidence([times(1), times(2)]).validity()


def test_without_a_reference_ratios_are_not_applicable_and_slos_decide():
    limits = LatencyLimits.model_validate({"p95": {"slo_ms": 3.0}, "p99": {"slo_ms": 2.1}})
    findings = judge(make_evidence([times(2)]), limits)
    found = {finding.id.removeprefix("latency.paired."): finding for finding in findings}
    assert found["p95.ratio"].outcome is Outcome.NOT_APPLICABLE
    assert found["p95.ratio"].missing is Capability.REFERENCE
    assert found["p95.slo"].outcome is Outcome.PASS
    assert found["p99.slo"].outcome is Outcome.FAIL
    assert "p50.slo" not in found
    assert "reference_drift" not in found


def test_findings_carry_what_a_report_needs():
    limits = LatencyLimits.model_validate({"p95": {"slo_ms": 3.0}})
    for finding in judge(make_evidence([times(1), times(2)]), limits):
        assert finding.evidence in ("latency.paired/samples.npz", "latency.paired/evidence.json")
        assert finding.samples > 0
        assert finding.unit
        assert finding.observed is not None
        assert (finding.limit is None) == finding.id.endswith((".p50", ".p99", ".memory", ".throughput"))
    by_id = {finding.id: finding for finding in judge(make_evidence([times(1), times(2)]), limits)}
    assert by_id["latency.paired.p95.slo"].confidence == 0.95
    assert by_id["latency.paired.p95.slo"].limit == 3.0
    assert by_id["latency.paired.p95.ratio"].limit == 1.1


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    n=st.integers(1, 40).map(lambda blocks: blocks * 75),
    failing=st.floats(0, 1),
    reference_failing=st.sampled_from([0.0, 0.0, 0.1, 1.0]),
    paired=st.booleans(),
)
def test_the_judge_is_total(seed, n, failing, reference_failing, paired):
    rng = np.random.default_rng(seed)
    candidate = np.where(rng.random(n) < failing, math.inf, times(seed, n))
    reference = np.where(rng.random(n) < reference_failing, math.inf, times(seed + 1, n))
    evidence = make_evidence([reference, candidate] if paired else [candidate])
    assert judge(evidence, LatencyLimits.model_validate({"p99": {"slo_ms": 5.0}}))
    assert evidence.validity().keys() >= {"generator_lag_p99_ms", "overlap_share"}


def test_stored_evidence_is_judged_alike(tmp_path):
    evidence = make_evidence([times(1), times(2, factor=1.3)])
    evidence.save(tmp_path, lambda text: text)
    loaded = LatencyEvidence.load(tmp_path)
    assert judge(loaded, LatencyLimits()) == judge(evidence, LatencyLimits())
    assert loaded.model_dump() == evidence.model_dump()
    assert (loaded.samples.done_s == evidence.samples.done_s).all()


def test_another_policy_may_judge_stored_evidence():
    evidence = make_evidence([times(1), times(2, factor=1.3)])
    wide = LatencyLimits.model_validate({name: {"margin": 0.6} for name in ("p50", "p95", "p99")})
    assert Outcome.FAIL in outcomes(evidence).values()
    assert set(outcomes(evidence, wide).values()) == {Outcome.PASS}


def test_damaged_samples_are_an_error(tmp_path):
    make_evidence([times(1), times(2)]).save(tmp_path, lambda text: text)
    (tmp_path / "samples.npz").write_bytes(b"not a zip")
    with pytest.raises(ValueError, match=r"."):
        LatencyEvidence.load(tmp_path)


def test_a_candidate_slow_by_little_is_neither_promoted_nor_rejected_lightly():
    evidence = make_evidence([times(1), times(2, factor=1.1)])
    assert outcomes(evidence)["p50.ratio"] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"budget_s": 5.0}, "at least 12 blocks"),
        ({"rate_per_s": 0.1}, "at least 20 arrivals"),
        ({"rate": 3}, "rate"),
        ({"limits": {"p90": {}}}, "p90"),
        ({"limits": {"p95": {"margin": 0}}}, "margin"),
        ({"limits": {"max_error_rate": 0}}, "max_error_rate"),
    ],
)
def test_settings_refuse_what_cannot_be(wrong, message):
    with pytest.raises(ValueError, match=message):
        LatencySettings.model_validate(wrong)


def test_declaring_an_slo_keeps_the_default_margins():
    limits = LatencyLimits.model_validate({"p95": {"slo_ms": 50}, "p99": {"slo_ms": 90}})
    assert (limits.p50.margin, limits.p95.margin, limits.p99.margin) == (0.10, 0.10, 0.50)


def by_name(evidence, limits=None):
    findings = judge(evidence, limits or LatencyLimits())
    return {finding.id.removeprefix("latency.paired."): finding for finding in findings}


def test_a_further_quantile_is_judged_like_the_others():
    limits = LatencyLimits.model_validate({"quantiles": {"p90": {"margin": 0.1, "slo_ms": 1.0}}})
    found = by_name(make_evidence([times(1), times(2, factor=1.5)]), limits)
    assert found["p90.ratio"].outcome is found["p90.slo"].outcome is Outcome.FAIL
    assert found["p90.ratio"].limit == 1.1
    assert list(limits.by_name) == ["p50", "p90", "p95", "p99"]
    assert limits.by_name["p90"][0] == 0.9


def test_a_tail_beyond_what_the_samples_hold_is_inconclusive():
    limits = LatencyLimits.model_validate({"quantiles": {"p99.9": {"margin": 0.5}}})
    found = by_name(make_evidence([times(1), times(2)]), limits)
    assert found["p99.9.ratio"].outcome is Outcome.INCONCLUSIVE
    assert "3000 samples, it takes at least 10000" in found["p99.9.ratio"].message
    assert "a load of about 100 s would (budget_s)" in found["time_to_verdict"].message


@pytest.mark.parametrize(
    "more", [{"devices": 8}, {"checks": 8}, {"quantiles": {f"p{p}": {"margin": 9} for p in range(60, 90)}}]
)
def test_the_error_of_a_reject_is_divided_among_quantiles_and_devices(more):
    alone = by_name(make_evidence([times(1), times(2)]))
    checks = more.pop("checks", 1)
    among = by_name(make_evidence([times(1), times(2)], checks=checks), LatencyLimits.model_validate(more))
    for name in ("p50.ratio", "p95.ratio", "p99.ratio"):
        assert among[name].lower is None or among[name].lower < alone[name].lower
        assert among[name].upper == alone[name].upper


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 1000),
    factor=st.floats(0.5, 2.0),
    name=st.sampled_from(["p50.ratio", "p95.ratio", "p95.slo"]),
)
def test_what_is_detectable_is_just_enough_to_be_rejected(seed, factor, name):
    limits = LatencyLimits.model_validate({"p95": {"slo_ms": 3.0}})
    reference, candidate = times(seed), times(seed + 1, factor=factor)
    seen = by_name(make_evidence([reference, candidate]), limits)[name]
    stretch = seen.detectable / seen.observed
    for more, outcome in ((1.02, True), (0.97, False)):
        found = by_name(make_evidence([reference, candidate * stretch * more]), limits)[name]
        assert (found.outcome is Outcome.FAIL) is outcome


def test_the_detectable_share_of_failures_is_just_enough_to_be_rejected():
    found = by_name(make_evidence([times(1), times(2)]))["error_rate"]
    for more, outcome in ((0, Outcome.FAIL), (-1, Outcome.INCONCLUSIVE)):
        failed = round(found.detectable * 3000) + more
        candidate = times(2)
        candidate[np.linspace(0, 2999, failed).astype(int)] = math.inf  # evenly, as independent as can be
        assert by_name(make_evidence([times(1), candidate]))["error_rate"].outcome is outcome


def test_a_finding_says_what_the_measurement_could_have_shown():
    text = message(make_evidence([times(1), times(2)]), "p95.ratio")
    assert re.search(
        r"1\.\d+ times or more would have been rejected \(the critical value\), a candidate that is truly at "
        r"1\.\d+ times in 80 % of such runs, and 1\.\d+ times would have been kept",
        text,
    )
    first_look = make_evidence([times(1)[:400], times(2)[:400]])
    assert "no slowdown, however large, would have been rejected" in message(first_look, "p50.ratio")
    assert by_name(first_look)["p50.ratio"].detectable is None


def test_it_says_how_long_the_verdict_took_and_what_it_would_take():
    done = by_name(make_evidence([times(1)[:1800], times(2)[:1800]]))["time_to_verdict"]
    assert (done.outcome, done.observed, done.limit) == (Outcome.PASS, 18.0, 30.0)
    assert done.message == "decided after 18.0 s of 30.0 s of load"
    noisy = by_name(make_evidence([times(1, sigma=0.8), times(2, factor=1.05, sigma=0.8)]))["time_to_verdict"]
    assert noisy.outcome is Outcome.INCONCLUSIVE
    assert re.fullmatch(
        r"not decided after 30\.0 s of 30\.0 s of load; a load of about \d+ s would \(budget_s\)",
        noisy.message,
    )
    late = by_name(make_evidence([times(1), times(2)], lag_s=0.05))["time_to_verdict"]
    assert "a longer load would not change that" in late.message


@pytest.mark.parametrize(
    "name", ["p0", "p100", "p9999", "99", "q99", "p99.", "p-1", "p9٩", "p50", "p95.0", "p99.00"]
)
def test_what_is_no_further_quantile_is_refused(name):
    with pytest.raises(ValueError, match="quantile"):
        LatencyLimits.model_validate({"quantiles": {name: {"margin": 0.1}}})


def test_two_names_of_one_quantile_are_refused():
    with pytest.raises(ValueError, match="twice"):
        LatencyLimits.model_validate({"quantiles": {"p90": {"margin": 0.1}, "p90.0": {"margin": 0.2}}})


def test_a_quantile_that_the_budget_cannot_decide_is_refused():
    asked = {"limits": {"quantiles": {"p99.9": {"margin": 0.5}}}}
    with pytest.raises(ValueError, match="takes 10,000 requests to each side"):
        LatencySettings.model_validate(asked)
    assert LatencySettings.model_validate(asked | {"rate_per_s": 400}).blocks == 30


def test_a_quantile_without_a_limit_decides_nothing():
    found = outcomes(make_evidence([times(1, n=200), times(2, n=200)], planned_blocks=2))
    assert found["p99"] is Outcome.PASS
    assert found["p99.ratio"] is Outcome.INCONCLUSIVE


SEEN_ON_GPU = [(2, Outcome.PASS), (0, Outcome.FAIL), (None, Outcome.INCONCLUSIVE)]


@pytest.mark.parametrize(("processes", "outcome"), SEEN_ON_GPU)
def test_on_a_gpu_the_candidate_has_to_be_seen_there(processes, outcome):
    sample = GpuSample(block=0, utilisation=(0.4,), processes=(1, processes), memory_bytes=(2**20, 2**21))
    gpu = GpuUsage(gpus=("NVIDIA L4",), samples=(sample,))
    evidence = make_evidence([times(1), times(2)], usage=Usage(gpu=gpu))
    found = outcomes(evidence)
    assert found.pop("gpu_processes") is outcome
    assert set(found.values()) <= {Outcome.PASS, Outcome.NOT_APPLICABLE}
    assert evidence.validity()["gpu_utilisation"] == 0.4
    assert evidence.validity()["candidate_gpu_memory_mib"] == 2.0
    assert "gpu_utilisation" not in make_evidence([times(1), times(2)]).validity()


BACKGROUND = LatencyLimits.model_validate(
    {"max_error_rate": 0.05, "error_rate_margin": 0.01, "max_reference_failures": 0.004}
)


def test_a_background_of_failures_in_both_may_be_judged():
    found = outcomes(make_evidence([failing(1, 0.002), failing(5, 0.002)]), BACKGROUND)
    assert set(found.values()) == {Outcome.PASS}
    text = message(make_evidence([failing(1, 0.002), failing(5, 0.002)]), "p50.ratio", BACKGROUND)
    assert re.search(r"; \d+ pairs are left out, since the reference failed$", text)


def test_failures_beyond_the_references_by_more_than_the_margin_fail():
    found = outcomes(make_evidence([failing(1, 0.002), failing(5, 0.03)]), BACKGROUND)
    assert found["error_rate.excess"] is Outcome.FAIL
    assert found["error_rate"] is Outcome.PASS
    late = outcomes(make_evidence([failing(1, 0.002), failing(5, 0.03)], lag_s=0.05), BACKGROUND)
    assert late["error_rate.excess"] is Outcome.FAIL  # no timeouts: a late generator made none of them


def test_a_slow_candidate_is_found_beside_a_background_of_failures():
    found = outcomes(make_evidence([failing(1, 0.002), failing(5, 0.002) * 2.0]), BACKGROUND)
    assert {found[f"{name}.ratio"] for name in QUANTILES} == {Outcome.FAIL}


def test_more_failures_of_the_reference_than_declared_void_the_comparison():
    found = outcomes(make_evidence([failing(1, 0.01), failing(5, 0.01)]), BACKGROUND)
    assert {found[f"{name}.ratio"] for name in QUANTILES} == {Outcome.INCONCLUSIVE}
    many = LatencyLimits.model_validate({"max_reference_failures": 0.1, "max_error_rate": 0.2})
    found = outcomes(make_evidence([failing(1, 0.03), failing(5, 0.03)]), many)
    assert found["p50.ratio"] is Outcome.PASS
    assert found["p99.ratio"] is Outcome.INCONCLUSIVE  # it is infinite


def test_failures_of_the_reference_neither_reject_nor_promote():
    """Left out they spare the reference its infinite times, counted they flatter the candidate."""
    limits = LatencyLimits.model_validate({"max_reference_failures": 0.009, "max_error_rate": 0.2})
    alike = outcomes(make_evidence([failing(1, 0.008), failing(5, 0.008)]), limits)
    assert alike["p99.ratio"] is not Outcome.FAIL
    slower = outcomes(make_evidence([failing(1, 0.008), times(2, factor=1.6)]), limits)
    assert slower["p99.ratio"] is not Outcome.PASS


def ticking(seed, n=3000, every=25):
    """Both sides of a machine that takes a few milliseconds for itself, of two pairs in so many."""
    sides = [times(seed, n), times(seed + 1, n)]
    for side in sides:
        side[5::every] += 0.004
        side[6::every] += 0.003
    return sides


def test_spells_of_the_machine_are_set_aside_and_told():
    evidence = make_evidence(ticking(1))
    assert outcomes(evidence)["p95.ratio"] is Outcome.PASS
    assert re.search(
        r"; 16\.0% of the pairs are set aside: both sides were slow at once", message(evidence, "p95.ratio")
    )
    assert "set aside" not in message(evidence, "p50.ratio")


def test_failures_of_the_reference_are_a_larger_share_where_pairs_are_set_aside():
    sides = ticking(1)
    failed = np.flatnonzero(np.arange(3000) % 25 == 15)[::4][:29]
    sides[0][failed] = math.inf
    limits = LatencyLimits.model_validate({"max_reference_failures": 0.1, "max_error_rate": 0.2})
    text = message(make_evidence(sides), "p99.ratio", limits)
    assert text == "29 requests to the reference failed, which voids the comparison"


@pytest.mark.parametrize("failures", range(15, 30))
def test_no_number_of_failures_of_the_reference_ends_in_an_error(failures):
    """Nor where chance thins the tail, so that the quantile is looked for higher."""
    sides = ticking(1)
    slow = np.random.default_rng(2).random((2, 3000)) < 0.02
    sides = [np.where(some, 3.0, 1.0) * side for some, side in zip(slow, sides, strict=True)]
    sides[0][np.flatnonzero(np.arange(3000) % 25 == 15)[: 4 * failures : 4]] = math.inf
    limits = LatencyLimits.model_validate({"max_reference_failures": 0.1, "max_error_rate": 0.2})
    text = message(make_evidence(sides), "p99.ratio", limits)
    assert "voids the comparison" in text or "pairs are left out" in text


def test_pairs_that_are_set_aside_are_no_samples():
    limits = LatencyLimits.model_validate({"p99": {"margin": 0.5}})
    text = message(make_evidence([side[:1100] for side in ticking(1)]), "p99.ratio", limits)
    assert "; 756 samples, it takes at least 1000" in text


def test_where_only_all_pairs_reject_their_times_are_told():
    """Taking the core makes spells of the candidate's own."""
    reference, candidate = ticking(1, 6000)
    candidate[:-1:50] += 0.02
    candidate[1::50] += 0.012
    reference[1::50] += 0.003
    evidence = make_evidence([reference, candidate], planned_blocks=60)
    finding = by_name(evidence)["p99.ratio"]
    assert finding.outcome is Outcome.FAIL
    assert finding.observed > finding.limit
    assert "; by all pairs: in " in finding.message


def test_without_a_reference_the_excess_is_not_applicable():
    finding = by_name(make_evidence([times(2)]), BACKGROUND)["error_rate.excess"]
    assert (finding.outcome, finding.missing) == (Outcome.NOT_APPLICABLE, Capability.REFERENCE)


def test_a_block_that_failed_as_a_whole_on_both_sides_is_left_out():
    reference, candidate = times(1), times(2)
    reference[100:200] = candidate[100:200] = math.inf
    limits = LatencyLimits.model_validate({"max_reference_failures": 0.1, "max_error_rate": 0.9})
    assert outcomes(make_evidence([reference, candidate]), limits)["p50.ratio"] is Outcome.PASS


def test_a_generator_that_wakes_late_decides_nothing_about_latency():
    sides = [times(1), times(2, factor=2)]
    samples = replace(make_samples(sides), heartbeat_s=np.full(500, 0.03))
    found = outcomes(make_evidence(sides, samples=samples))
    assert found["generator_hiccup"] is found["p50.ratio"] is Outcome.INCONCLUSIVE
    assert outcomes(make_evidence(sides))["generator_hiccup"] is Outcome.PASS


def test_much_stolen_time_decides_nothing():
    sides = [times(1), times(2, factor=2)]
    found = outcomes(make_evidence(sides, cpu_steal_share=0.3))
    assert found["cpu_steal"] is found["p50.ratio"] is Outcome.INCONCLUSIVE
    assert outcomes(make_evidence(sides, cpu_steal_share=0.01))["p50.ratio"] is Outcome.FAIL
    wide = LatencyLimits.model_validate({"max_cpu_steal": 0.5})
    assert outcomes(make_evidence(sides, cpu_steal_share=0.3), wide)["cpu_steal"] is Outcome.PASS
    assert "cpu_steal" not in outcomes(make_evidence(sides))
    assert make_evidence(sides, cpu_steal_share=0.3).validity()["cpu_steal_share"] == 0.3


WARMING = np.where(np.arange(3000) < 300, 2.5, 1.0)


@pytest.mark.parametrize(
    ("reference", "candidate", "who", "outcome"),
    [
        (WARMING, WARMING, "both sides", Outcome.WARN),
        (1.0, WARMING, "the candidate alone", Outcome.WARN),
        (WARMING, 1.0, "the reference alone", Outcome.PASS),
    ],
)
def test_blocks_of_warm_up_are_left_out_and_told(reference, candidate, who, outcome):
    found = by_name(make_evidence([times(1) * reference, times(2) * candidate]))
    assert found["warmup"].outcome is outcome
    assert found["warmup"].message.startswith(f"{who} still warmed up")
    assert "the first 3 of 30 blocks" in found["warmup"].message
    assert {found[f"{name}.ratio"].outcome for name in QUANTILES} == {Outcome.PASS}
    assert found["p50.ratio"].samples == 2700
    assert found["error_rate"].samples == 3000


def test_a_candidate_that_stays_slow_for_longer_than_allowed_is_judged_by_all_of_it():
    slow = np.where(np.arange(3000) < 1500, 2.5, 1.0)
    found = by_name(make_evidence([times(1), times(2) * slow]))
    assert found["warmup"].observed == 0
    assert found["p95.ratio"].outcome is Outcome.FAIL
    none = LatencyLimits.model_validate({"max_warmup_share": 0})
    assert outcomes(make_evidence([times(1), times(2) * WARMING]), none)["p95.ratio"] is not Outcome.PASS
