"""Schedules: seeded, open loop, balanced pairs."""

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.plan import Arrival, LoadPlan, Payload, Side
from harness.load.schedule import WARMUP, schedule_block


def a_plan(**changes):
    asked = {
        "sides": (
            Side(name="reference", base_url="http://a:1"),
            Side(name="candidate", base_url="http://b:2"),
        ),
        "payloads": (
            Payload(method="POST", path="/"),
            Payload(method="GET", path="/"),
        ),
        "rate_per_s": 100.0,
        "block_arrivals": 200,
        "seed": 7,
    }
    return LoadPlan(**(asked | changes))


@given(
    seed=st.integers(0, 2**31),
    block=st.integers(0, 1000),
    arrival=st.sampled_from(Arrival),
    rate=st.floats(0.1, 5000),
)
def test_every_pair_has_both_sides_and_one_payload(seed, block, arrival, rate):
    schedule = schedule_block(a_plan(seed=seed, arrival=arrival, rate_per_s=rate), block)
    assert schedule.side.reshape(-1, 2).sum(axis=1).tolist() == [1] * 200
    assert (schedule.payload.reshape(-1, 2)[:, 0] == schedule.payload.reshape(-1, 2)[:, 1]).all()
    assert (np.diff(schedule.due_s) > 0).all()
    assert schedule.due_s[0] > 0


def test_the_seed_and_the_block_make_the_schedule():
    first, again = schedule_block(a_plan(), 3), schedule_block(a_plan(), 3)
    assert (first.due_s == again.due_s).all()
    assert (first.side == again.side).all()
    assert (first.payload == again.payload).all()
    assert (first.due_s != schedule_block(a_plan(), 4).due_s).any()
    assert (first.due_s != schedule_block(a_plan(seed=8), 3).due_s).any()


def test_order_within_pairs_is_random():
    first_side = schedule_block(a_plan(block_arrivals=2000), 0).side.reshape(-1, 2)[:, 0]
    assert 0.45 < first_side.mean() < 0.55


def test_poisson_spacing_has_the_declared_rate_and_dead_time():
    gaps = np.diff(schedule_block(a_plan(block_arrivals=5000, dead_time=0.9), 0).due_s)
    assert gaps.mean() == pytest.approx(0.005, rel=0.05)
    assert gaps.min() >= 0.0045
    assert (gaps - 0.0045).std() == pytest.approx(0.0005, rel=0.05)


def test_one_side_alone_gets_a_poisson_process_without_dead_time():
    plan = a_plan(sides=(Side(name="candidate", base_url="http://b:2"),), block_arrivals=10_000)
    gaps = np.diff(schedule_block(plan, 0).due_s)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)
    assert gaps.mean() == pytest.approx(0.01, rel=0.05)


def test_constant_arrivals_are_evenly_spaced():
    schedule = schedule_block(a_plan(arrival=Arrival.CONSTANT), 0)
    assert np.diff(schedule.due_s) == pytest.approx(0.005)


def test_payloads_are_drawn_alike():
    schedule = schedule_block(a_plan(block_arrivals=5000), 0)
    assert (schedule.payload == 0).mean() == pytest.approx(0.5, abs=0.03)


@given(weights=st.lists(st.floats(0.1, 10), min_size=1, max_size=5), seed=st.integers(0, 2**31))
def test_payloads_are_drawn_by_their_weights(weights, seed):
    payloads = tuple(Payload(method="GET", path=f"/{weight}", weight=weight) for weight in weights)
    schedule = schedule_block(a_plan(payloads=payloads, block_arrivals=5000, seed=seed), 0)
    shares = np.bincount(schedule.payload, minlength=len(weights)) / schedule.payload.size
    assert shares == pytest.approx(np.array(weights) / sum(weights), abs=0.04)


@given(
    seed=st.integers(0, 2**31),
    burst=st.integers(2, 20),
    bursts=st.integers(1, 30),
    arrival=st.sampled_from(Arrival),
)
def test_a_burst_comes_at_once_and_then_the_same_at_the_other_side(seed, burst, bursts, arrival):
    plan = a_plan(seed=seed, burst=burst, block_arrivals=burst * bursts, arrival=arrival, dead_time=0.5)
    schedule = schedule_block(plan, 0)
    due_s, side, payload = (
        column.reshape(bursts, 2, burst) for column in (schedule.due_s, schedule.side, schedule.payload)
    )
    assert (due_s == due_s[:, :, :1]).all()
    assert (side == side[:, :, :1]).all()
    assert (side[:, 0] + side[:, 1] == 1).all()
    assert (payload[:, 0] == payload[:, 1]).all()
    between_s = np.diff(due_s[:, :, 0].reshape(-1))
    assert (between_s >= 0.5 * burst / 200.0 - 1e-9).all()
    rows = [np.flatnonzero(schedule.side == number) for number in (0, 1)]
    assert (schedule.payload[rows[0]] == schedule.payload[rows[1]]).all()


def test_bursts_keep_the_rate_and_a_warm_up_has_whole_ones():
    plan = a_plan(burst=10, block_arrivals=5000, warmup_requests=25)
    assert schedule_block(plan, 0).due_s[-1] == pytest.approx(50.0, rel=0.1)
    assert schedule_block(plan, WARMUP).due_s.size == 60
    assert schedule_block(plan.model_copy(update={"warmup_requests": 0}), WARMUP).due_s.size == 0


def test_one_side_alone_gets_bursts_too():
    plan = a_plan(sides=(Side(name="candidate", base_url="http://b:2"),), burst=5)
    due_s = schedule_block(plan, 0).due_s.reshape(40, 5)
    assert (due_s == due_s[:, :1]).all()
    assert (np.diff(due_s[:, 0]) > 0).all()


@given(block=st.integers(0, 50), ladder=st.lists(st.floats(0.1, 20), min_size=1, max_size=9))
def test_a_ladder_changes_the_rate_and_not_the_length_of_a_block(block, ladder):
    plan = a_plan(ladder=tuple(ladder), arrival=Arrival.CONSTANT)
    schedule = schedule_block(plan, block)
    factor = ladder[block % len(ladder)]
    assert schedule.due_s.size == 2 * max(1, round(200 * factor))
    assert np.diff(schedule.due_s) == pytest.approx(0.005 / factor)
    assert schedule_block(plan, WARMUP).due_s.size == 2 * plan.warmup_requests


def test_a_block_of_broken_bursts_is_refused():
    with pytest.raises(ValueError, match="whole bursts"):
        a_plan(burst=7)


def test_warm_up_has_its_own_length_and_schedule():
    plan = a_plan(warmup_requests=17)
    assert schedule_block(plan, WARMUP).due_s.size == 34
    assert schedule_block(plan, WARMUP).due_s[0] != schedule_block(plan, 0).due_s[0]


def test_two_sides_need_two_names():
    same = Side(name="candidate", base_url="http://a:1")
    with pytest.raises(ValueError, match="different names"):
        a_plan(sides=(same, same))


def test_a_plan_survives_its_way_to_the_worker():
    plan = a_plan(payloads=(Payload(method="POST", path="/", body=b"\x00\xff", headers={"a": "b"}),))
    assert LoadPlan.model_validate_json(plan.model_dump_json()) == plan


@pytest.mark.parametrize(
    ("base_url", "path", "target"),
    [
        ("http://host:1", "/predict", "/predict"),
        ("https://host/api/v1", "/predict?a=b", "/api/v1/predict?a=b"),
        ("http://host:1", "/a b", "/a%20b"),
        ("http://host:1", "/%2f%C3%A9", "/%2f%C3%A9"),
        ("http://host:1", "//predict", "//predict"),
    ],
)
def test_the_request_target_is_that_of_all_other_checks(base_url, path, target):
    assert Side(name="candidate", base_url=base_url).request_target(path) == target
    asked = httpx.Request("GET", base_url + path)
    assert asked.url.raw_path.decode() == target
