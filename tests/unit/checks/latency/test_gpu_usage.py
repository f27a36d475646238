"""What is read of GPUs under load, with a recorded NVML, and what is made of it."""

import sys
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_nvml import GIB, Device, Recorded

from harness.checks.latency.gpu_findings import judge_gpu
from harness.checks.latency.gpu_meter import gpu_meter
from harness.checks.latency.gpu_usage import GpuSample, GpuUsage
from harness.checks.latency.usage import Usage
from harness.checks.latency.usage_meter import UsageMeter
from harness.errors import InfrastructureError
from harness.model import Outcome, Scope, TargetDescription
from harness.targets.interface import RunningProcess
from harness.testing import FakeEndpoint

REFERENCE, CANDIDATE = 0, 1


@dataclass
class OnGpu(FakeEndpoint):
    pids: tuple[int, ...] = ()
    of_this_kernel: bool = True

    def __post_init__(self):
        self.description = TargetDescription(kind=Scope.CONTAINER, device="gpu")

    def processes(self):
        capabilities = 0 if self.of_this_kernel else None
        return tuple(RunningProcess(pid, "python3", (10001,), capabilities) for pid in self.pids)


@pytest.fixture
def read(monkeypatch):
    """Reads after blocks; gives the usage."""

    def after(endpoints, *devices, blocks=1, planned=None):
        library = Recorded(*devices)
        monkeypatch.setitem(sys.modules, "pynvml", library)
        with gpu_meter(endpoints, blocks=planned or blocks) as meter:
            for block in range(blocks):
                meter.read(block)
            usage = meter.usage
        assert library.opened == 0
        return usage

    return after


def the_one(usage):
    (finding,) = judge_gpu(usage, CANDIDATE)
    return finding


def test_memory_is_that_of_each_sides_own_processes_on_all_gpus(read):
    first = Device(processes={11: 2 * GIB, 21: GIB, 99: 5 * GIB})
    second = Device(processes={12: GIB}, utilisation=51)
    usage = read([OnGpu(pids=(21,)), OnGpu(pids=(10, 11, 12))], first, second)
    (sample,) = usage.samples
    assert sample.processes == (1, 2)
    assert sample.memory_bytes == (GIB, 3 * GIB)
    assert sample.utilisation == (0.37, 0.51)
    finding = the_one(usage)
    assert (finding.id, finding.outcome) == ("latency.paired.gpu_processes", Outcome.PASS)
    assert (finding.observed, finding.limit, finding.samples) == (2, 1, 1)
    assert "holding 3072 MiB" in finding.message
    assert finding.message.endswith("; 44% of the time a GPU was busy, for whomever")


def test_a_candidate_that_holds_none_fails_whatever_the_reference_holds(read):
    usage = read([OnGpu(pids=(21,)), OnGpu(pids=(11,))], Device(processes={21: GIB}))
    finding = the_one(usage)
    assert (finding.outcome, finding.observed) == (Outcome.FAIL, 0)
    assert "no process of the candidate" in finding.message


def test_process_ids_of_another_kernel_show_nothing(read):
    usage = read([OnGpu(pids=(21,)), OnGpu(pids=(11,), of_this_kernel=False)], Device(processes={11: GIB}))
    assert usage.samples[0].processes == (0, None)
    finding = the_one(usage)
    assert (finding.outcome, finding.observed) == (Outcome.INCONCLUSIVE, None)


def test_what_the_driver_does_not_tell_of_memory_is_left_open(read):
    usage = read([OnGpu(pids=(21,)), OnGpu(pids=(11,))], Device(processes={11: None}, utilisation=None))
    assert usage.samples[0].processes == (0, 1)
    assert usage.samples[0].memory_bytes == (0, None)
    assert usage.utilisation is None
    finding = the_one(usage)
    assert finding.outcome is Outcome.PASS
    assert finding.message == "processes of the candidate on a GPU: 1"


@pytest.mark.parametrize(("planned", "samples"), [(1, 1), (20, 20), (60, 20), (1000, 20)])
def test_no_more_than_twenty_samples_are_taken(read, planned, samples):
    usage = read([OnGpu(pids=(21,)), OnGpu(pids=(11,))], Device(), blocks=planned)
    assert len(usage.samples) == samples
    assert usage.samples[0].block == 0


def test_on_a_cpu_nothing_is_opened_read_or_judged(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with gpu_meter([FakeEndpoint(), FakeEndpoint()], blocks=3) as meter:
        assert meter is None
    assert judge_gpu(None, CANDIDATE) == []


def test_without_nvml_the_measurement_is_an_error_of_the_machine(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(InfrastructureError), gpu_meter([OnGpu(pids=(1,))], blocks=3):
        pass


def test_the_meter_of_the_blocks_keeps_it_and_it_is_read_again(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", Recorded(Device(processes={11: GIB})))
    sides = [OnGpu(pids=(21,)), OnGpu(pids=(11,))]
    with gpu_meter(sides, blocks=2) as gpu:
        meter = UsageMeter(sides, blocks=2, block_s=1.0, gpu=gpu)
        for _ in range(2):
            with meter.block():
                pass
        usage = meter.usage
    assert [sample.block for sample in usage.gpu.samples] == [0, 1]
    assert Usage.model_validate_json(usage.model_dump_json()) == usage
    assert UsageMeter(sides, blocks=2, block_s=1.0).usage.gpu is None


def test_one_that_only_keeps_its_memory_there_is_not_shown_to_compute_there(read):
    idle = Device(processes={11: GIB}, utilisation=0)
    finding = the_one(read([OnGpu(pids=(21,)), OnGpu(pids=(11,))], idle, blocks=3))
    assert (finding.outcome, finding.observed) == (Outcome.INCONCLUSIVE, 1)
    assert "none was seen to compute" in finding.message


def test_a_candidate_that_left_the_gpu_is_not_shown_to_be_there():
    samples = tuple(
        GpuSample(block=block, utilisation=(0.5,), processes=(1, count), memory_bytes=(1, count))
        for block, count in enumerate((1, 1, 0))
    )
    finding = the_one(GpuUsage(gpus=("G",), samples=samples))
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert "some blocks only" in finding.message


def test_workers_that_come_later_are_seen_and_one_that_ended_tells_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", Recorded(Device(processes={11: GIB, 12: GIB})))
    candidate = OnGpu(pids=(11,))
    with gpu_meter([OnGpu(pids=(21,)), candidate], blocks=3) as meter:
        meter.read(0)
        candidate.pids = (11, 12)
        meter.read(1)
        candidate.is_alive = False
        meter.read(2)
        usage = meter.usage
    assert [sample.processes[CANDIDATE] for sample in usage.samples] == [1, 2, None]


numbers = st.none() | st.integers(0, 2**40)


@given(st.lists(st.tuples(numbers, numbers, st.none() | st.floats(0, 1)), max_size=5))
def test_a_pass_takes_a_process_that_was_seen(rows):
    samples = tuple(
        GpuSample(block=i, utilisation=(busy,), processes=(0, count), memory_bytes=(0, held))
        for i, (count, held, busy) in enumerate(rows)
    )
    usage = GpuUsage(gpus=("G",), samples=samples)
    finding = the_one(usage)
    counts = [count for count, _, _ in rows if count is not None]
    idle = usage.utilisation == 0
    assert (finding.outcome is Outcome.FAIL) == (counts != [] and max(counts) == 0)
    assert (finding.outcome is Outcome.PASS) == (counts != [] and min(counts) > 0 and not idle)
