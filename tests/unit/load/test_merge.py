"""Shares of several generators become what one would have written, or an error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load import LoadPlan, Payload, Samples, Side
from harness.load.clock import Offset, WorkerClock
from harness.load.merge import Share, ShareError, merge
from harness.load.schedule import Part, schedule_block
from harness.load.wire import WireError, chunks, join_rows, live_answered


def plan(sides, arrivals, burst=1):
    return LoadPlan(
        sides=tuple(
            Side(name=f"s{number}", base_url=f"http://127.0.0.1:{number + 1}") for number in range(sides)
        ),
        payloads=tuple(Payload(method="GET", path=f"/{number}") for number in range(3)),
        rate_per_s=10.0,
        block_arrivals=arrivals,
        burst=burst,
        seed=5,
    )


def samples_of(schedule, start_s):
    n = schedule.due_s.size
    intended = start_s + schedule.due_s
    return Samples(
        side=schedule.side,
        block=np.zeros(n, dtype=np.int32),
        payload=schedule.payload,
        intended_s=intended,
        sent_s=intended + 0.25,
        done_s=intended + 1.25,
        status=np.full(n, 200, dtype=np.int16),
        outcome=np.zeros(n, dtype=np.int8),
        body_bytes=np.zeros(n, dtype=np.int32),
        heartbeat_s=np.array([0.001]),
        cpu_s=np.array([0.5]),
        wall_s=np.array([1.0]),
    )


def shares_of(schedule, together, count, ahead):
    shares = []
    for index in range(count):
        own = samples_of(schedule.only(Part(index, count), together), 50.0 + ahead[index])
        offset = Offset(at_s=50.0 + ahead[index], ahead_s=ahead[index], uncertainty_s=0.0)
        clock = WorkerClock(worker=index, name=str(index), before=offset, after=offset)
        rows = join_rows(list(chunks(own)))
        shares.append(Share(clock=clock, columns=rows, heartbeat_s=[0.001], cpu_s=0.5, wall_s=1.0))
    return shares


@given(st.integers(1, 2), st.integers(1, 40), st.integers(1, 5), st.integers(1, 7))
def test_each_arrival_belongs_to_exactly_one_part(sides, bursts, count, burst):
    asked = plan(sides, bursts * burst, burst)
    schedule = schedule_block(asked, 0)
    rows = [Part(index, count).rows(schedule.due_s.size, asked.together) for index in range(count)]
    assert sorted(np.concatenate(rows).tolist()) == list(range(bursts * burst * sides))


@given(st.integers(1, 30), st.integers(1, 5), st.integers(1, 7))
def test_both_sides_of_a_pair_and_of_a_burst_are_one_generators(bursts, count, burst):
    asked = plan(2, bursts * burst, burst)
    schedule = schedule_block(asked, 0)
    for index in range(count):
        own = schedule.only(Part(index, count), asked.together)
        first, second = (np.flatnonzero(own.side == side) for side in (0, 1))
        assert own.payload[first].tolist() == own.payload[second].tolist()
        assert (np.diff(own.due_s.reshape(-1, burst)) == 0).all()


@given(st.integers(1, 2), st.integers(5, 40), st.lists(st.floats(-1000, 1000), min_size=1, max_size=5))
def test_shares_become_the_whole_on_one_clock(sides, arrivals, ahead):
    schedule = schedule_block(plan(sides, arrivals), 0)
    merged = merge(schedule, sides, shares_of(schedule, sides, len(ahead), ahead), 10.0)
    single = samples_of(schedule, 40.0)
    assert merged.side.tolist() == single.side.tolist()
    assert merged.payload.tolist() == single.payload.tolist()
    np.testing.assert_allclose(merged.intended_s, single.intended_s, atol=1e-6)
    np.testing.assert_allclose(merged.response_s, single.response_s, atol=1e-9)
    assert merged.cpu_s.size == merged.wall_s.size == len(ahead)


def test_a_share_that_lacks_requests_is_refused():
    schedule = schedule_block(plan(1, 20), 0)
    shares = shares_of(schedule, 1, 2, [0.0, 5.0])
    short = {name: column[:-1] for name, column in shares[1].columns.items()}
    cut = Share(clock=shares[1].clock, columns=short, heartbeat_s=[], cpu_s=0.0, wall_s=0.0)
    with pytest.raises(ShareError, match="worker 1 sent 9 of its 10"):
        merge(schedule, 1, [shares[0], cut], 0.0)


def test_a_share_of_another_worker_is_refused():
    schedule = schedule_block(plan(1, 20), 0)
    first, second = shares_of(schedule, 1, 2, [0.0, 0.0])
    with pytest.raises(ShareError, match="other requests"):
        merge(schedule, 1, [second, first], 0.0)


def test_pieces_come_once_and_in_order(monkeypatch):
    monkeypatch.setattr("harness.load.wire.CHUNK_ROWS", 7)
    pieces = list(chunks(samples_of(schedule_block(plan(1, 20), 0), 0.0)))
    assert len(pieces) == 3
    assert join_rows(pieces)["side"].size == 20
    for wrong in (pieces[1:], [pieces[0], pieces[0]], [pieces[0], pieces[2]]):
        with pytest.raises(WireError, match="were expected"):
            join_rows(wrong)


@pytest.mark.parametrize("message", [{}, {"side": "text"}, {"side": b"", "payload": b"123"}])
def test_a_message_that_is_none_is_refused(message):
    with pytest.raises(WireError):
        live_answered(message)
