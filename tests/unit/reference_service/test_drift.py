"""The stability index by hand and by its properties, and the window of rows that it is over."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reference_service.telemetry import drift as module
from reference_service.telemetry.baseline import Baseline, FeatureBaseline, count_bins
from reference_service.telemetry.drift import BLOCK_ROWS, LEAST_SHARE, MIN_ROWS, Drift, stability_index

COMMON = {"model_version": "1.0.0", "deployment_id": "test"}
COUNTS = arrays(np.int64, 6, elements=st.integers(0, 1000)).filter(np.any)
NAMES = ("size", "weight")


def a_baseline(**predictions):
    """100 training rows: sizes below 0, of 0 to 1, and of 1 or more; weights below and from 5."""
    return Baseline(
        schema_version=1,
        rows=100,
        features=(
            FeatureBaseline(name="size", edges=(0.0, 1.0), counts=(20, 50, 30)),
            FeatureBaseline(name="weight", edges=(5.0,), counts=(100, 0)),
        ),
        predictions=predictions or {"yes": 60, "no": 40},
    )


def rows_of(counts):
    """Rows whose sizes fall into the bins so often; every weight is 1."""
    sizes = np.repeat(np.asarray([-1, 0, 1], dtype=np.float32), counts)
    return np.stack([sizes, np.ones_like(sizes)], axis=1)


def collected(drift):
    """Every sample, by its metric and feature."""
    return {
        (sample.name, sample.labels.get("feature")): sample.value
        for family in drift.collect()
        for sample in family.samples
    }


def test_known_value():
    # (0.4 - 0.5) ln(0.4 / 0.5) + (0.6 - 0.5) ln(0.6 / 0.5)
    assert stability_index(np.array([5, 5]), np.array([40, 60])) == pytest.approx(0.04054651, abs=1e-8)


def test_an_empty_bin_counts_as_a_little():
    emptied = stability_index(np.array([50, 50]), np.array([100, 0]))
    by_hand = (1 - 0.5) * math.log(1 / 0.5) + (LEAST_SHARE - 0.5) * math.log(LEAST_SHARE / 0.5)
    assert emptied == pytest.approx(by_hand)
    assert stability_index(np.array([100, 0]), np.array([200, 0])) == 0


@given(COUNTS, COUNTS)
def test_never_negative_and_the_same_both_ways(expected, actual):
    index = stability_index(expected, actual)
    assert index >= 0
    assert index == pytest.approx(stability_index(actual, expected))


@given(COUNTS, st.integers(1, 1000))
def test_nothing_where_the_shares_are_equal(counts, factor):
    assert stability_index(counts, counts * factor) == pytest.approx(0, abs=1e-12)


@given(COUNTS, st.integers(0, 5))
def test_a_bin_that_is_empty_on_both_sides_changes_nothing(counts, place):
    other = np.roll(counts, 1)
    padded = [np.insert(each, place, 0) for each in (counts, other)]
    assert stability_index(*padded) == pytest.approx(stability_index(counts, other))


def test_chance_alone_gives_what_the_theory_says():
    # The reason for MIN_ROWS, with the sizes of the tabular artifact: 426 rows of training, ten bins.
    generator = np.random.default_rng(1)
    share = np.full(10, 0.1)
    indices = stability_index(
        generator.multinomial(426, share, size=4000), generator.multinomial(MIN_ROWS, share, size=4000)
    )
    assert indices.mean() == pytest.approx(9 * (1 / 426 + 1 / MIN_ROWS), rel=0.05)
    assert np.mean(indices > 0.1) < 0.001


def test_too_few_rows_have_no_index():
    drift = Drift(a_baseline(), COMMON)
    drift.add(rows_of([MIN_ROWS - 1, 0, 0]), ["yes"] * (MIN_ROWS - 1))
    assert collected(drift) == {("inference_drift_rows", None): MIN_ROWS - 1}
    drift.add(rows_of([1, 0, 0]), ["yes"])
    assert collected(drift).keys() == {
        ("inference_drift_rows", None),
        ("inference_drift_psi", "size"),
        ("inference_drift_psi", "weight"),
        ("inference_prediction_drift_psi", None),
    }


def test_rows_as_in_training_have_no_drift_and_others_have():
    drift = Drift(a_baseline(), COMMON)
    drift.add(rows_of([400, 1000, 600]), ["yes"] * 1200 + ["no"] * 800)
    same = collected(drift)
    assert same["inference_drift_rows", None] == 2000
    assert same["inference_drift_psi", "size"] == same["inference_drift_psi", "weight"] == 0
    assert same["inference_prediction_drift_psi", None] == 0
    drift.add(rows_of([2000, 0, 0]), ["yes"] * 2000)
    moved = collected(drift)
    assert moved["inference_drift_psi", "size"] == pytest.approx(
        stability_index(np.array([20, 50, 30]), np.array([2400, 1000, 600]))
    )
    assert moved["inference_drift_psi", "weight"] == 0
    assert moved["inference_prediction_drift_psi", None] == pytest.approx(
        stability_index(np.array([60, 40]), np.array([3200, 800]))
    )


def test_every_sample_has_the_common_labels():
    drift = Drift(a_baseline(), COMMON)
    drift.add(rows_of([MIN_ROWS, 0, 0]), ["yes"] * MIN_ROWS)
    samples = [sample for family in drift.collect() for sample in family.samples]
    assert all(sample.labels.items() >= COMMON.items() for sample in samples)


def test_rows_come_one_at_a_time_as_well():
    together, alone = Drift(a_baseline(), COMMON), Drift(a_baseline(), COMMON)
    rows = rows_of([500, 400, 300])
    labels = ["yes", "no", "no"] * 400
    together.add(rows, labels)
    for row, label in zip(rows, labels, strict=True):
        alone.add(row[None], [label])
    assert collected(together) == collected(alone)


def test_what_is_old_is_forgotten():
    drift = Drift(a_baseline(), COMMON)
    drift.add(rows_of([BLOCK_ROWS, 0, 0]), ["yes"] * BLOCK_ROWS)
    for _ in range(2):
        drift.add(rows_of([0, BLOCK_ROWS, 0]), ["no"] * BLOCK_ROWS)
    drift.add(rows_of([0, 100, 0]), ["no"] * 100)
    now = collected(drift)
    assert now["inference_drift_rows", None] == BLOCK_ROWS + 100
    assert now["inference_drift_psi", "size"] == pytest.approx(
        stability_index(np.array([20, 50, 30]), np.array([0, 1, 0]))
    )


@given(
    arrays(np.float32, st.integers(1, 50), elements=st.floats(-3, 3, width=32)),
    st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=8, unique=True),
)
def test_rows_are_binned_as_the_baseline_was(values, edges):
    edges = sorted(edges)
    counts = (1, *[0] * len(edges))
    baseline = Baseline(
        schema_version=1,
        rows=1,
        features=(
            FeatureBaseline(name="x", edges=edges, counts=counts),
            FeatureBaseline(name="with more bins", edges=range(10), counts=(*[0] * 10, 1)),
        ),
        predictions={"a": 1},
    )
    drift = Drift(baseline, COMMON)
    drift.add(np.stack([values, values], axis=1), ["a"] * len(values))
    list(drift.collect())
    found = drift._blocks[0][: len(counts)]
    assert found.tolist() == count_bins(values, edges).tolist()


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "GATHERED_ROWS", 8)
    drift = Drift(a_baseline(), COMMON)
    for _ in range(1000):
        drift.add(rows_of([1, 1, 1]), ["yes"] * 3)
        assert len(drift._gathered) <= 8
        assert len(drift._gathered_labels) <= 8


def test_the_service_tells_its_drift(fresh, features, manifest):
    fresh.headers["X-API-Key"] = "good-key"
    for _ in range(11):
        fresh.post("/predict/batch", json={"instances": [features] * 100})
    lines = fresh.get("/metrics").text.splitlines()
    common = f'deployment_id="default",model_version="{manifest["version"]}"'
    assert f"inference_drift_rows{{{common}}} 1100.0" in lines
    told = [line for line in lines if line.startswith("inference_drift_psi{")]
    assert len(told) == len(manifest["input"]["features"])
    assert all(float(line.rsplit(" ", 1)[1]) > 1 for line in told)  # every row is the same one
    assert any(line.startswith("inference_prediction_drift_psi{") for line in lines)


def test_samples_of_health_checks_are_no_rows(fresh):
    for _ in range(3):
        fresh.get("/health")
    [line] = [
        line for line in fresh.get("/metrics").text.splitlines() if line.startswith("inference_drift_rows{")
    ]
    assert line.endswith(" 0.0")
