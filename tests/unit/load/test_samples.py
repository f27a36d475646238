"""Samples and what they tell about the generator."""

from dataclasses import fields, replace

import numpy as np
import pytest

from harness.load.samples import RequestOutcome, Samples
from harness.load.validity import measure_health


def make_samples(response_s, *, blocks=2):
    """Pairs 10 ms apart, reference and candidate 5 ms apart, both with the same times."""
    response_s = np.repeat(np.asarray(response_s, dtype=float), 2)
    n = response_s.size
    intended_s = np.arange(n) * 0.005
    return Samples(
        side=np.tile([0, 1], n // 2).astype(np.int8),
        block=(np.arange(n) * blocks // n).astype(np.int32),
        payload=np.zeros(n, dtype=np.int32),
        intended_s=intended_s,
        sent_s=intended_s + 0.0005,
        done_s=intended_s + response_s,
        status=np.full(n, 200, dtype=np.int16),
        outcome=np.zeros(n, dtype=np.int8),
        body_bytes=np.zeros(n, dtype=np.int32),
        heartbeat_s=np.full(10, 0.001),
        cpu_s=np.full(blocks, 0.25),
        wall_s=np.ones(blocks),
    )


def test_times_count_from_the_intended_send_and_failures_are_infinite():
    samples = make_samples([0.002, 0.003])
    samples = replace(samples, outcome=np.array([0, RequestOutcome.TIMEOUT, 0, 0], dtype=np.int8))
    assert samples.response_s == pytest.approx([0.002, np.inf, 0.003, 0.003])
    assert samples.service_s == pytest.approx([0.0015, np.inf, 0.0025, 0.0025])
    assert samples.lag_s == pytest.approx([0.0005] * 4)
    assert samples.failed.tolist() == [False, True, False, False]


def test_saved_and_loaded_samples_are_the_same(tmp_path):
    samples = make_samples(np.linspace(0.001, 0.002, 50))
    samples.save(tmp_path / "samples.npz")
    loaded = Samples.load(tmp_path / "samples.npz")
    for field in fields(Samples):
        before, after = getattr(samples, field.name), getattr(loaded, field.name)
        assert (before == after).all()
        assert before.dtype == after.dtype


def test_a_file_without_an_array_is_refused(tmp_path):
    np.savez(tmp_path / "samples.npz", side=np.zeros(3))
    with pytest.raises(ValueError, match="lacks the array"):
        Samples.load(tmp_path / "samples.npz")


def test_until_cuts_at_a_block_and_join_undoes_it():
    samples = make_samples(np.arange(10) * 0.001, blocks=5)
    first = samples.until(2)
    assert set(first.block) == {0, 1}
    assert first.wall_s.size == 2
    rest = replace(
        samples,
        **{f.name: getattr(samples, f.name)[samples.block >= 2] for f in fields(samples) if f.name in ROWS},
        heartbeat_s=np.empty(0),
        cpu_s=samples.cpu_s[2:],
        wall_s=samples.wall_s[2:],
    )
    joined = Samples.join([first, rest])
    for field in fields(Samples):
        assert (getattr(joined, field.name) == getattr(samples, field.name)).all()


ROWS = {"side", "block", "payload", "intended_s", "sent_s", "done_s", "status", "outcome", "body_bytes"}


def test_health_of_a_calm_run():
    health = measure_health(make_samples(np.full(300, 0.004)), steady_side=0)
    assert health.lag_p99_ms == pytest.approx(0.5)
    assert health.heartbeat_p99_ms == pytest.approx(1.0)
    assert health.cpu_share == pytest.approx(0.25)
    assert health.drift == pytest.approx(0.0)
    assert health.overlap_share == 0.0


def test_overlap_is_seen():
    # 7 ms at 5 ms spacing: every request but the first is sent while the other side still works.
    health = measure_health(make_samples(np.full(300, 0.007)), steady_side=0)
    assert health.overlap_share == pytest.approx(599 / 600)


def test_drift_is_seen_and_a_dead_reference_has_an_infinite_one():
    drifting = make_samples(np.concatenate([np.full(100, 0.002), np.full(100, 0.0025), np.full(100, 0.003)]))
    assert measure_health(drifting, steady_side=0).drift == pytest.approx(0.5)
    dead = replace(drifting, outcome=np.full(600, RequestOutcome.TIMEOUT, dtype=np.int8))
    assert measure_health(dead, steady_side=0).drift == np.inf
