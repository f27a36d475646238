"""The samples of a latency run up to a look, as the judge asks for them."""

import math
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.limits import LatencyLimits
from harness.checks.latency.usage import Usage
from harness.checks.latency.validity import Doubt
from harness.load import RequestOutcome, Samples
from harness.load.samples import MS
from harness.stats.groups import group_of_block
from harness.stats.judgement import Spending
from harness.stats.quantiles import Times, quantile
from harness.stats.spells import Aside, in_spells

CLOSE_S = 0.02
"""Pairs that are further apart than this do not meet the same spell of a machine."""
LEAST_TAIL = 0.9
"""A machine that is slow more often than in one request of ten is slow, and not disturbed."""


@dataclass(frozen=True, kw_only=True)
class SideView:
    """The requests of one side in order of arrival, shape (n,) each; times in ms, +inf for a failure.

    Attributes:
        response_ms: From the intended send.
        service_ms: From the actual send.
        elapsed_ms: From the actual send to the end, also of a failure.
        failed: Which failed.
        timed_out: Which of them by taking too long.
    """

    response_ms: Times
    service_ms: Times
    elapsed_ms: Times
    failed: NDArray[np.bool_]
    timed_out: NDArray[np.bool_]

    @classmethod
    def of(cls, samples: Samples, side: int) -> Self:
        """Take one side's requests."""
        rows = samples.of_side(side)
        return cls(
            response_ms=MS * samples.response_s[rows],
            service_ms=MS * samples.service_s[rows],
            elapsed_ms=MS * (samples.done_s - samples.sent_s)[rows],
            failed=samples.failed[rows],
            timed_out=np.equal(samples.outcome[rows], RequestOutcome.TIMEOUT),
        )

    def only(self, rows: NDArray[np.bool_]) -> Self:
        """Take some of the requests, shape (n,)."""
        return replace(self, **{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    @property
    def failures(self) -> int:
        """How many failed."""
        return int(np.count_nonzero(self.failed))


@dataclass(frozen=True, kw_only=True)
class View:
    """Both sides up to a look, row i of either is pair i, and what may be spent there.

    Attributes:
        blocks: Shape (n,), the block of each pair.
        groups: Shape (n,), its group.
        load_s: How long the blocks took.
        usage: CPU time and memory of the sides in each block.
        doubt: Whether the measurement can be believed.
    """

    limits: LatencyLimits
    spending: Spending
    rate_per_s: float
    candidate: SideView
    reference: SideView | None
    blocks: NDArray[np.intp]
    groups: NDArray[np.intp]
    load_s: float
    usage: Usage
    doubt: Doubt

    @classmethod
    def of(
        cls, evidence: LatencyEvidence, limits: LatencyLimits, look: int, doubt: Doubt, besides: int = 0
    ) -> Self:
        """Cut the evidence at a look.

        Any limit of any latency check on any device rejects, so the error of a fail is divided among all.

        Args:
            evidence: All that was seen.
            limits: What it is held against.
            look: So many blocks of it.
            doubt: Whether it can be believed.
            besides: How many limits the check judges besides those of `latency.paired`.
        """
        samples = evidence.samples.until(look)
        blocks = samples.block[samples.of_side(evidence.candidate)].astype(np.intp)
        quantiles = limits.by_name.values()
        slos = sum(declared.slo_ms is not None for _, declared in quantiles)
        compared = len(quantiles) + 1 + (limits.error_rate_margin is not None)  # 1: that of CPU time
        relative = 0 if evidence.reference is None else compared
        cpu_limits = limits.cpu.max_ms is not None
        promised = {} if evidence.promises is None else evidence.promises.promised
        promises = limits.promises == "fail" and promised.get("p99_ms") is not None
        alpha = 1.0 - limits.confidence
        rejecting = 1 + slos + relative + cpu_limits + promises + besides
        return cls(
            limits=limits,
            spending=evidence.looks.spending_at(
                look, within=alpha, beyond=limits.share_of_reject(alpha, evidence.checks) / rejecting
            ),
            rate_per_s=evidence.rate_per_s,
            candidate=SideView.of(samples, evidence.candidate),
            reference=None if evidence.reference is None else SideView.of(samples, evidence.reference),
            blocks=blocks,
            groups=group_of_block(look)[blocks],
            load_s=float(samples.wall_s.sum()),
            usage=evidence.usage.until(look),
            doubt=doubt,
        )

    def after(self, first: int) -> Self:
        """Leave out the requests of the blocks before one; usage and load stay those of the whole."""
        if not first:
            return self
        rows = self.blocks >= first
        blocks = self.blocks[rows] - first
        return replace(
            self,
            candidate=self.candidate.only(rows),
            reference=None if self.reference is None else self.reference.only(rows),
            blocks=blocks,
            groups=group_of_block(int(blocks[-1]) + 1)[blocks],
        )

    @property
    def samples(self) -> int:
        """Samples of the candidate."""
        return self.candidate.failed.size

    @property
    def void(self) -> bool:
        """Whether the reference failed more often than it may where the sides are compared."""
        return (
            self.reference is not None
            and self.reference.failures > self.limits.max_reference_failures * self.samples
        )

    def others_ms(self, probability: float) -> float:
        """Return the most of a response time that generator and machine can have made, inf for all of it.

        The machine's part is at most all of what the reference, on the same cores at the same time, took.
        """
        if self.doubt.lag_ms is None:
            return math.inf
        machine_ms = 0.0 if self.reference is None else quantile(self.reference.service_ms, probability)
        return self.doubt.lag_ms + machine_ms

    def least_ms(self, probability: float) -> Times:
        """Return what of each time is surely the candidate's, shape (n,)."""
        return np.maximum(0.0, self.candidate.elapsed_ms - self.others_ms(probability))

    def set_aside(self, probability: float) -> Aside:
        """Which pairs met a spell in which the machine was slow for both sides.

        Args:
            probability: Of the quantile that is compared; only that of a tail can be the machine's.
        """
        return self._in_spells if probability >= LEAST_TAIL else Aside.none(self.samples)

    @cached_property
    def _in_spells(self) -> Aside:
        if self.reference is None or self.rate_per_s * CLOSE_S < 1.0:
            return Aside.none(self.samples)
        return in_spells(
            self.candidate.response_ms,
            self.reference.response_ms,
            self.blocks,
            most=self.limits.max_set_aside,
        )

    @property
    def surely_failed(self) -> NDArray[np.bool_]:
        """Which failures the generator cannot have made, shape (n,): a late one makes timeouts only."""
        failed = self.candidate.failed
        if not self.doubt.why:
            return failed
        return np.zeros_like(failed) if self.doubt.lag_ms is None else failed & ~self.candidate.timed_out
