"""What is drawn of response times: within its box, bounded, and by the quantiles that are judged."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from load_evidence import evidence, times_s

from harness.checks.latency.judge import judge
from harness.checks.latency.limits import LatencyLimits
from harness.reports.figures.course import MOST_MOMENTS, course
from harness.reports.figures.percentiles import percentiles
from harness.reports.figures.response_times import MOST_POINTS, curve, response_times
from harness.reports.figures.timeline import timeline
from harness.stats.quantiles import quantile

LIMITS = LatencyLimits.model_validate({"p99": {"slo_ms": 100.0}, "quantiles": {"p99.9": {"margin": 1.0}}})
ID = "latency.paired"
any_time_s = st.one_of(
    st.floats(0, 1e9), st.just(math.inf), st.sampled_from([0.0, 1e-9, 0.002, 0.0020000001, 5e8])
)
few = st.lists(any_time_s, min_size=60, max_size=60)
many = settings(max_examples=40)


@many
@given(few, few, st.floats(0, 1e6))
def test_any_samples_are_drawn_within_the_box(drawn, ours, theirs, lag_s):
    for sides in ([theirs, ours], [ours]):
        seen = evidence(sides, lag_s=lag_s)
        drawn(percentiles(response_times(seen, LIMITS), ID, {"p50": (0.0, math.inf)}))
        drawn(timeline(course(seen, LIMITS), ID))


@many
@given(st.lists(any_time_s, min_size=1, max_size=400), st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.999]))
def test_the_curve_is_the_distribution_and_exact_at_its_quantiles(times, probability):
    times_ms = np.array(times)
    found = curve(times_ms, [probability])
    judged = quantile(times_ms, probability)
    assert found.failed == np.isinf(times_ms).sum()
    assert ((judged, probability) in found.points) is math.isfinite(judged)
    assert list(found.points) == sorted(found.points)
    for time_ms, share in found.points:
        if share != probability:
            assert share <= np.mean(times_ms <= time_ms) + 1e-12


@pytest.mark.parametrize(
    "sides",
    [
        [times_s(1), times_s(2, median_s=0.0021)],
        [times_s(1), times_s(2, failing=0.02)],
        [times_s(1)],
        # Both are slow at first: that is left out of ratios, and an SLO holds for it too.
        [np.concatenate([times_s(n, 600, 0.02), times_s(n + 2, 2400)]) for n in (1, 2)],
    ],
)
def test_what_is_drawn_is_what_was_judged(drawn, sides):
    seen = evidence(sides)
    found = {each.id.removeprefix(f"{ID}."): each for each in judge(seen, LIMITS)}
    times = response_times(seen, LIMITS)
    for each in times.quantiles:
        absolute = found.get(f"{each.name}.slo") or found[each.name]
        assert each.absolute_ms == absolute.observed
        if each.reference_ms is not None:
            assert each.candidate_ms / each.reference_ms == found[f"{each.name}.ratio"].observed
            assert each.most_ms == pytest.approx(each.reference_ms * found[f"{each.name}.ratio"].limit)
    assert (times.left_out > 0) is (found["warmup"].observed > 0)
    elements = drawn(percentiles(times, ID, {}))
    dots = [float(each.get("cy")) for each in elements if each.get("class") == "candidate-dot"]
    rules = [float(each.get("y1")) for each in elements if each.get("class") == "rule"]
    endless = [each for each in elements if each.get("class") == "candidate endless"]
    answered = [math.isfinite(each.candidate_ms) for each in times.quantiles]
    assert dots == [at for at, finite in zip(rules, answered, strict=True) if finite]
    assert len(rules) == len(LIMITS.by_name) == len(dots) + len(endless)
    assert sum(each.get("class") == "tick-limit" for each in elements) == 2  # one of them in the legend


def test_two_hundred_thousand_samples_stay_small(drawn):
    seen = evidence([times_s(1, 100_000), times_s(2, 100_000, sigma=2.0)])
    times = response_times(seen, LIMITS)
    assert len(times.candidate.points) <= MOST_POINTS + len(LIMITS.by_name)
    for figure in (percentiles(times, ID, {}), timeline(course(seen, LIMITS), ID)):
        drawn(figure)
        assert len(figure.svg) < 20_000
        assert len(figure.rows) <= MOST_MOMENTS


def test_too_few_blocks_for_a_verdict_are_not_drawn():
    seen = evidence([times_s(1), times_s(2)], planned_blocks=1000)
    with pytest.raises(ValueError, match="30 blocks were sent, too few for a first verdict"):
        response_times(seen, LIMITS)


def test_the_band_is_where_the_judged_drift_may_end():
    for grown, within in ((1.4, True), (1.6, False)):
        slowing = times_s(1, sigma=0.0) * np.repeat([1.0, grown], [2000, 1000])
        seen = evidence([slowing, times_s(2)])
        found = course(seen, LIMITS)
        last = [each.reference.usual_ms for each in found.moments][-1]
        assert (found.band_ms[0] <= last <= found.band_ms[1]) is within
        drift = next(each for each in judge(seen, LIMITS) if each.id == f"{ID}.reference_drift")
        assert (drift.observed <= drift.limit) is within


def test_a_late_generator_and_failures_are_seen(drawn):
    lag_s = np.zeros(6000)
    lag_s[3000:3300] = 0.05
    seen = evidence([times_s(1), times_s(2, failing=0.01)], lag_s=lag_s)
    figure = timeline(course(seen, LIMITS), ID)
    kinds = [each.get("class") for each in drawn(figure)]
    assert kinds.count("bar over") >= 2
    assert "failed" in kinds
    assert "stretches with failed requests" in figure.note


def test_what_an_slo_judged_is_drawn_where_the_curve_leaves_requests_out(drawn):
    limits = LatencyLimits.model_validate({"p50": {"slo_ms": 10.0}})
    slow_first = [np.concatenate([times_s(n, 600, 0.02), times_s(n + 2, 2400)]) for n in (1, 2)]
    times = response_times(evidence(slow_first), limits)
    (median,) = (each for each in times.quantiles if each.name == "p50")
    assert median.apart_ms == median.absolute_ms > median.candidate_ms
    assert [each.apart_ms for each in times.quantiles if each.name != "p50"] == [None, None]
    elements = drawn(percentiles(times, ID, {}))
    absolute, usual = (
        [float(each.get("cx")) for each in elements if each.get("class") == f"{kind}-dot"][-3:]
        for kind in ("absolute", "candidate")
    )
    assert len(absolute) == 2  # one of them in the legend
    assert absolute[-1] > usual[0]
    assert any(f"{median.absolute_ms:.3g} of 10 ms" in (each.text or "") for each in elements)


def test_without_a_difference_nothing_is_drawn_apart(drawn):
    times = response_times(evidence([times_s(1)]), LIMITS)
    kinds = {each.get("class") for each in drawn(percentiles(times, ID, {}))}
    assert not kinds & {"absolute-dot", "absolute endless"}


@pytest.mark.parametrize(
    ("interval", "open_ends"), [((1.9, 2.1), 0), ((0.0, 2.1), 1), ((1.9, math.inf), 1), ((1e-6, 1e9), 2)]
)
def test_an_interval_that_leaves_the_axis_has_an_open_end(drawn, interval, open_ends):
    times = response_times(evidence([times_s(1), times_s(2)]), LIMITS)
    elements = drawn(percentiles(times, ID, {"p50": interval}))
    assert sum(each.get("class") == "interval open" for each in elements) == open_ends
