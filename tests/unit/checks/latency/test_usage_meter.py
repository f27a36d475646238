"""The meter around the blocks: what is kept of each, of a slow engine, and of targets that do not tell."""

import itertools

import numpy as np
import pytest

from harness.checks.latency import usage_meter
from harness.checks.latency.usage import Usage
from harness.checks.latency.usage_meter import UsageMeter
from harness.testing import FakeEndpoint


class Busy(FakeEndpoint):
    """Uses a second more each time that it is asked."""

    def cpu_s(self):
        self.used_s += 1.0
        return self.used_s


def busy(held_bytes=1024):
    return Busy(used_s=0.0, held_bytes=held_bytes)


def measured(meter, blocks):
    for _ in range(blocks):
        with meter.block():
            pass
    return meter.usage


def test_each_block_has_what_was_used_in_it_and_held_at_its_end():
    seen = measured(UsageMeter([busy(1024), busy(2048)], blocks=40, block_s=60.0), 3)
    assert seen.cpu_s == ((1.0, 1.0),) * 3
    assert seen.memory_bytes == ((1024, 2048),) * 3
    assert seen.until(2).cpu_of(1).tolist() == [1.0, 1.0]
    assert seen.until(2).memory_of(0).tolist() == [1024.0, 1024.0]


def test_time_between_blocks_does_not_count():
    endpoint = FakeEndpoint(used_s=5.0, held_bytes=1)
    meter = UsageMeter([endpoint], blocks=40, block_s=60.0)
    for used_s in (0.25, 0.5):
        with meter.block():
            endpoint.used_s += used_s
        endpoint.used_s += 100.0
    assert meter.usage.cpu_s == ((0.25,), (0.5,))


def test_a_slow_engine_is_asked_around_several_blocks(monkeypatch):
    clock = itertools.count()
    monkeypatch.setattr(usage_meter.time, "perf_counter", lambda: float(next(clock)))
    seen = measured(UsageMeter([busy()], blocks=60, block_s=0.25), 8)
    assert np.isnan(seen.cpu_of(0)).tolist() == [True, True, False, True, True, False, True, True]
    assert np.isnan(seen.memory_of(0)).tolist() == np.isnan(seen.cpu_of(0)).tolist()
    assert seen.cpu_of(0)[[2, 5]].tolist() == [1.0, 1.0]


def test_a_target_that_does_not_tell_has_no_numbers_and_the_other_has():
    seen = measured(UsageMeter([FakeEndpoint(), busy()], blocks=40, block_s=60.0), 2)
    assert seen.cpu_s == ((None, 1.0),) * 2
    assert np.isnan(seen.cpu_of(0)).all()
    assert np.isnan(seen.memory_of(0)).all()


def test_of_a_block_that_failed_nothing_is_kept():
    meter = UsageMeter([busy()], blocks=40, block_s=60.0)
    measured(meter, 1)
    with pytest.raises(RuntimeError), meter.block():
        raise RuntimeError
    assert len(meter.usage.cpu_s) == 1


def test_it_is_stored_as_json_and_read_again():
    seen = measured(UsageMeter([FakeEndpoint(), busy()], blocks=40, block_s=60.0), 2)
    assert Usage.model_validate_json(seen.model_dump_json()) == seen
