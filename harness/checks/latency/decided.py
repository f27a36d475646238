"""From what the samples show of one limit to its finding: too few samples or a doubt outweigh it."""

import math
from dataclasses import dataclass

from harness.checks.latency.findings import OUTCOMES, finding, more_samples
from harness.checks.latency.view import View
from harness.model import Finding, Outcome
from harness.stats.judgement import Judgement, Shown

ALIKE = "; not decided, since the reference fails alike"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A finding, and by what factor a load has to be longer to decide it: 1 where it is decided, or inf."""

    finding: Finding
    growth: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What becomes of one limit.

    Attributes:
        outcome: Of its finding.
        ending: How its message ends.
        growth: See `Judged`.
        counts: Whether it was decided by what the samples show, so that what they could have shown is known.
    """

    outcome: Outcome
    ending: str
    growth: float = 1.0
    counts: bool = False

    def unless_alike(self, *, excused: bool) -> "Decided":
        """Return it, or that a failure is excused: whatever ails both sides is not the candidate's fault."""
        if self.outcome is not Outcome.FAIL or not excused:
            return self
        return Decided(outcome=Outcome.INCONCLUSIVE, ending=ALIKE, growth=math.inf)

    def judged(
        self, name: str, text: str, *, view: View, judgement: Judgement, limit: float | None, unit: str
    ) -> Judged:
        """Return the finding.

        Args:
            name: Its id within the check.
            text: What was seen, and what is allowed.
            view: The samples.
            judgement: What they show.
            limit: None where none is declared.
            unit: Of limit and observed value.
        """
        detectable = judgement.detectable if self.counts and limit is not None else math.inf
        return Judged(
            finding=finding(
                name,
                self.outcome,
                text + self.ending,
                samples=view.samples,
                observed=judgement.observed,
                limit=limit,
                unit=unit,
                bounds=(judgement.lower, judgement.upper),
                detectable=detectable,
                confidence=view.limits.confidence,
            ),
            growth=self.growth,
        )


def decided(
    view: View,
    judgement: Judgement,
    limit: float,
    *,
    least: int = 0,
    samples: int | None = None,
    surely_broken: bool = False,
) -> Decided:
    """Return what becomes of a limit.

    Args:
        view: The samples.
        judgement: What they show.
        limit: What they were judged by.
        least: So many samples it takes.
        samples: So many there are; all of the candidate's by default.
        surely_broken: Whether the limit is broken whatever is in doubt.
    """
    samples = view.samples if samples is None else samples
    if samples < least:
        ending = f"; {samples} samples, it takes at least {least}"
        return Decided(outcome=Outcome.INCONCLUSIVE, ending=ending, growth=least / max(1, samples))
    if view.doubt.why:
        if surely_broken:
            return Decided(
                outcome=Outcome.FAIL, ending=f"; by more than can be explained by this: {view.doubt.why}"
            )
        ending = f"; not decided, since {view.doubt.why}"
        return Decided(outcome=Outcome.INCONCLUSIVE, ending=ending, growth=math.inf)
    return Decided(
        outcome=OUTCOMES[judgement.shown],
        ending=more_samples(judgement, limit, samples=view.samples, rate_per_s=view.rate_per_s),
        growth=1.0 if judgement.shown is not Shown.NEITHER else judgement.growth,
        counts=True,
    )
