"""Sends the blocks of a load to both sides, until a check has seen enough."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from harness.checks.interface import CheckContext
from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.gpu_meter import gpu_meter
from harness.checks.latency.planning import Asked
from harness.checks.latency.steal import CpuTicks, read_ticks, steal_share
from harness.checks.latency.usage import Usage
from harness.checks.latency.usage_meter import UsageMeter
from harness.errors import InfrastructureError, TargetError
from harness.load import GeneratorError, LoadGenerator, LoadPlan, Samples
from harness.stats.looks import Looks


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What came of the blocks that were sent.

    Attributes:
        samples: Their requests.
        unix_offset_s: Unix time minus the times in the samples.
        generator_error: Why the generator stopped before the end; empty where it did not.
        usage: CPU time and memory of the sides beside it.
        web_ui: Whether the generator also showed itself live.
        cpu_steal_share: See `LatencyEvidence`; ``cpu_steal_shares`` likewise.
    """

    samples: Samples
    unix_offset_s: float
    generator_error: str = ""
    usage: Usage
    web_ui: bool = False
    cpu_steal_share: float | None = None
    cpu_steal_shares: tuple[float, ...] = ()

    @classmethod
    def of(
        cls,
        generator: LoadGenerator,
        parts: Sequence[Samples],
        usage: Usage,
        ticks: Sequence[Mapping[int, CpuTicks]],
        error: str = "",
    ) -> Self:
        """Join what a generator has sent so far; `ticks` are from before the first block and after each."""
        shares = [steal_share(before, after) for before, after in pairwise(ticks)]
        return cls(
            samples=Samples.join(parts),
            unix_offset_s=generator.ready.unix_offset_s,
            generator_error=error,
            usage=usage,
            web_ui=generator.ready.web_url is not None,
            cpu_steal_share=steal_share(ticks[0], ticks[-1]),
            cpu_steal_shares=() if None in shares else tuple(share for share in shares if share is not None),
        )


def evidence_of(
    plan: LoadPlan, asked: Asked, sent: Sent, *, planned_blocks: int, expected: int, checks: int
) -> LatencyEvidence:
    """Return what was sent as evidence.

    Args:
        plan: The load.
        asked: Its payloads.
        sent: What came of it.
        planned_blocks: As declared.
        expected: The least number of the candidate's samples that makes it a check.
        checks: How many latency checks the suite declares.
    """
    return LatencyEvidence(
        expected=expected,
        executed=sent.samples.of_side(len(plan.sides) - 1).size,
        sides=tuple(side.name for side in plan.sides),
        endpoints=asked.endpoints,
        rate_per_s=plan.rate_per_s,
        planned_blocks=planned_blocks,
        seed=plan.seed,
        unix_offset_s=sent.unix_offset_s,
        generator_error=sent.generator_error,
        usage=sent.usage,
        web_ui=sent.web_ui,
        cpu_steal_share=sent.cpu_steal_share,
        cpu_steal_shares=sent.cpu_steal_shares,
        checks=checks,
        samples=sent.samples,
    )


def send_blocks(
    context: CheckContext,
    plan: LoadPlan,
    looks: Looks,
    should_stop: Callable[[Sent], bool],
    *,
    between: Callable[[], None] = lambda: None,
) -> Sent:
    """Send the blocks one by one, and ask at each look whether that is enough.

    Before each block `between` is called, while nothing is in flight.
    Between the looks hardly any work is done here: it would be done on the cores that are measured.

    Raises:
        TargetError: The candidate died.
        InfrastructureError: The reference died.
        GeneratorError: The load generator failed before the first block was through.
    """
    parts: list[Samples] = []
    # In the order of the plan's sides: the reference, where there is one, and the candidate.
    sides = [each for each in (context.reference, context.candidate) if each]
    with (
        LoadGenerator(plan, context.folder, web=context.web) as generator,
        gpu_meter(sides, blocks=looks.blocks) as gpu,
    ):
        if generator.ready.web_url is not None:
            context.note(f"the load is live at {generator.ready.web_url}")
        meter = UsageMeter(sides, blocks=looks.blocks, block_s=plan.block_s, gpu=gpu)
        ticks = [read_ticks()]
        for block in range(looks.blocks):
            between()
            try:
                with meter.block():
                    parts.append(generator.run_block(block))
            except GeneratorError as error:
                if not parts:
                    raise
                return Sent.of(generator, parts, meter.usage, ticks, str(error))
            ticks.append(read_ticks())
            context.progress(block + 1, looks.blocks)
            looking = block + 1 in looks.at_blocks
            # Asking an engine costs CPU time too, and one that died answers nothing more.
            if looking or parts[-1].failed.any():
                require_alive(context)
            if looking and should_stop(Sent.of(generator, parts, meter.usage, ticks)):
                break
        return Sent.of(generator, parts, meter.usage, ticks)


def require_alive(context: CheckContext) -> None:
    """Make sure that both sides run still.

    Raises:
        TargetError: The candidate does not.
        InfrastructureError: The reference does not.
    """
    if not context.candidate.alive():
        raise TargetError("it stopped under load", logs=context.candidate.logs())
    if context.reference is not None and not context.reference.alive():
        raise InfrastructureError("the reference stopped under load")
