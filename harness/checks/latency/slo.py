"""``latency.slo``: the candidate alone, at the rate of production.

Nothing is compared: the absolute limits hold, no more requests fail than may, and as many a second are
answered as arrive.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.checks.interface import CheckContext, Stage
from harness.checks.latency.collect import Sent, evidence_of, send_blocks
from harness.checks.latency.decided import Judged, decided
from harness.checks.latency.endpoints import report_endpoints
from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.findings import CHECK_ID, of_check
from harness.checks.latency.judge import judge, should_stop
from harness.checks.latency.limits import LatencyLimits
from harness.checks.latency.loads import SLO_BLOCKS
from harness.checks.latency.planning import asked_of, candidate_of, load_plan, verify_requests
from harness.checks.latency.settings import LatencySettings
from harness.checks.latency.view import View
from harness.config.suite import Suite
from harness.load import Samples
from harness.model import Capability, Family, Finding
from harness.stats.looks import Looks
from harness.stats.quantiles import least_samples, quantile
from harness.stats.shift import judge_median

USUAL = 0.95


class LatencySlo:
    """Loads the candidate at the declared rate, nothing beside it."""

    id: ClassVar[str] = "latency.slo"
    family: ClassVar[Family] = Family.LATENCY
    stage: ClassVar[Stage] = Stage.ALONE
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[LatencyEvidence]] = LatencyEvidence

    def applies(self, settings: LatencySettings) -> bool:
        """Where the suite declares a rate."""
        return settings.slo is not None

    def verify_inputs(self, suite: Suite, settings: LatencySettings) -> None:
        """See `verify_requests`."""
        verify_requests(suite, settings)

    def collect(self, context: CheckContext, settings: LatencySettings) -> LatencyEvidence:
        """Send blocks until the verdict is clear or the budget is spent; raises what `send_blocks` does."""
        if settings.slo is None:
            raise ValueError("the suite declares no rate")
        asked = asked_of(context, settings)
        plan = load_plan(
            context,
            settings,
            asked,
            (candidate_of(context),),
            rate_per_s=settings.slo.rate_per_s,
            block_arrivals=settings.slo.block_arrivals,
        )
        expected = least_samples(0.5, settings.limits.confidence)

        def evidence(sent: Sent) -> LatencyEvidence:
            return evidence_of(
                plan, asked, sent, planned_blocks=SLO_BLOCKS, expected=expected, checks=settings.checks
            )

        def enough(sent: Sent) -> bool:
            return should_stop(evidence(sent), settings.limits, (_throughput,))

        return evidence(send_blocks(context, plan, Looks(blocks=SLO_BLOCKS), enough))

    def judge(self, evidence: LatencyEvidence, limits: LatencyLimits) -> Sequence[Finding]:
        """As single requests are judged, without comparisons, and the throughput."""
        judged = judge(evidence, limits, (_throughput,), budget="slo.budget_s")
        # Of either throughput that which has a limit; and with nothing a candidate alone is compared.
        report = f"{CHECK_ID}.throughput"
        kept = [
            item
            for item in judged
            if item.missing is not Capability.REFERENCE and (item.id != report or item.limit is not None)
        ]
        return of_check(self.id, [*kept, *report_endpoints(evidence)])


def _throughput(evidence: LatencyEvidence, view: View) -> Judged:
    """Judge the median of the blocks' shares by the sign test, which holds whatever the noise is."""
    shares, per_s = _answered(evidence)
    least = view.limits.min_throughput
    judgement = judge_median(shares, shares, least=least, spending=view.spending)
    text = (
        f"{per_s:.1f} answers a second at {evidence.rate_per_s:g} arrivals a second "
        f"({judgement.observed:.1%}, interval {max(0.0, judgement.lower):.1%} to "
        f"{min(1.0, judgement.upper):.1%}), at least {least:.1%} have to be"
    )
    return decided(view, judgement, least).judged(
        "throughput", text, view=view, judgement=judgement, limit=least, unit="share of the arrivals"
    )


def _answered(evidence: LatencyEvidence) -> tuple[NDArray[np.float64], float]:
    """Return, for each block, answers a second over arrivals a second, and the answers a second of all.

    A service that keeps up, however slow, answers the last request as soon after it arrived as those before;
    one that does not takes as much longer than the arrivals took as it is too slow.
    """
    samples = evidence.samples
    shares = np.zeros(evidence.blocks)
    took_s, answers = 0.0, 0
    for block in range(evidence.blocks):
        rows = np.flatnonzero(samples.block == block)
        began_s = samples.intended_s[rows].min()
        arrived_s, done_s = samples.intended_s[rows].max() - began_s, samples.done_s[rows].max() - began_s
        answered = int(np.count_nonzero(~samples.failed[rows]))
        usual_s = _usual_s(samples, rows[samples.intended_s[rows] <= began_s + arrived_s / 2.0])
        shares[block] = answered / rows.size * min(1.0, (arrived_s + usual_s) / done_s)
        took_s, answers = took_s + done_s, answers + answered
    return shares, answers / took_s


def _usual_s(samples: Samples, rows: NDArray[np.intp]) -> float:
    """Return the time in which all but the slowest of some requests are answered, 0 if none is.

    Of the first half of a block: in the second a service that does not keep up has twice the queue.
    """
    times_s = samples.response_s[rows[~samples.failed[rows]]]
    return quantile(times_s, USUAL) if times_s.size else 0.0
