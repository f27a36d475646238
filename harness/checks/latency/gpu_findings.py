"""Whether the candidate was on a GPU while its times were taken."""

from collections.abc import Sequence

from harness.checks.latency.findings import finding
from harness.checks.latency.gpu_usage import GpuUsage
from harness.model import Finding, Outcome

MIB = 1024**2


def judge_gpu(usage: GpuUsage | None, side: int) -> Sequence[Finding]:
    """Return the finding about the candidate's processes on GPUs; none where it was asked to run on the CPU.

    Args:
        usage: What was read.
        side: Number of the candidate's side.
    """
    if usage is None:
        return []
    processes = usage.processes_of(side)
    if processes is None:
        outcome, message = Outcome.INCONCLUSIVE, "nobody told whether the candidate's processes were on a GPU"
    elif not processes:
        outcome, message = Outcome.FAIL, "no process of the candidate held memory on a GPU under load"
    elif not usage.least_processes_of(side):
        outcome, message = (
            Outcome.INCONCLUSIVE,
            "processes of the candidate held memory on a GPU after some blocks only",
        )
    elif usage.utilisation == 0:
        # What has fallen back to the CPU may keep its context, and with it memory.
        outcome, message = (
            Outcome.INCONCLUSIVE,
            f"processes of the candidate held memory on a GPU ({processes}), but none was seen to compute",
        )
    else:
        outcome, message = (
            Outcome.PASS,
            f"processes of the candidate on a GPU: {processes}{_holding(usage, side)}",
        )
    return [
        finding(
            "gpu_processes",
            outcome,
            message + _busy(usage),
            samples=len(usage.samples),
            observed=processes,
            limit=1,
            unit="processes",
        )
    ]


def _holding(usage: GpuUsage, side: int) -> str:
    held = usage.memory_of(side)
    return "" if held is None else f", holding {held / MIB:.0f} MiB"


def _busy(usage: GpuUsage) -> str:
    busy = usage.utilisation
    return "" if busy is None else f"; {busy:.0%} of the time a GPU was busy, for whomever"
