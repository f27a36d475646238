"""The errors of one output over many answers, kept in a few hundred numbers however many there are; pure."""

import math
from collections import Counter
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

from harness.checks.golden.compare import error_of
from harness.checks.golden.limits import Tolerance
from harness.checks.golden.wire import Leaf

STEPS = 8
"""Bins of an error's histogram to a factor of two: a quantile is at most 9 % above the true one."""
OF_ZERO = -1100
"""Stands for the exponent of 0; that of the smallest double is -1073."""


@dataclass
class Envelope:
    """How far elements were off.

    Attributes:
        elements: All that were compared; ``broken`` of them differ in what no tolerance mends: text,
            booleans, and numbers of which only one is finite.
        bias_sum: Of ``observed - expected``.
        largest: How many there were and the largest error, by the binary exponent of the expected value.
        histogram: Errors above 0 by their logarithm, in steps of 1/8.
    """

    elements: int = 0
    broken: int = 0
    bias_sum: float = 0.0
    largest: dict[int, tuple[int, float]] = field(default_factory=dict)
    histogram: Counter[int] = field(default_factory=Counter)

    def add(self, expected: Leaf, observed: Leaf) -> None:
        """One element."""
        self.elements += 1
        if isinstance(expected, str | bool) or isinstance(observed, str | bool):
            self.broken += expected != observed
            return
        if not (math.isfinite(expected) and math.isfinite(observed)):
            self.broken += not (expected == observed or (math.isnan(expected) and math.isnan(observed)))
            return
        error = error_of(observed, expected)
        self.bias_sum += float(observed) - float(expected)
        exponent = math.frexp(float(expected))[1] if expected else OF_ZERO
        count, most = self.largest.get(exponent, (0, 0.0))
        self.largest[exponent] = (count + 1, max(most, error))
        if error > 0:
            self.histogram[math.floor(math.log2(error) * STEPS)] += 1

    def join(self, other: "Envelope") -> None:
        """Take another's elements in."""
        self.elements += other.elements
        self.broken += other.broken
        self.bias_sum += other.bias_sum
        self.histogram += other.histogram
        for exponent, (count, most) in other.largest.items():
            here, so_far = self.largest.get(exponent, (0, 0.0))
            self.largest[exponent] = (here + count, max(so_far, most))

    @property
    def bias(self) -> float:
        """Mean of ``observed - expected``."""
        return self.bias_sum / self.elements if self.elements else 0.0

    @property
    def max_error(self) -> float:
        """The largest ``abs(observed - expected)``."""
        return max((most for _, most in self.largest.values()), default=0.0)

    def quantile(self, share: float) -> float:
        """An error that at least this share of the elements does not exceed, from the histogram."""
        left = math.ceil(share * self.elements) - (self.elements - self.histogram.total())
        if left <= 0:
            return 0.0
        for step in sorted(self.histogram):
            left -= self.histogram[step]
            if left <= 0:
                break
        return min(math.exp2((step + 1) / STEPS), self.max_error)

    def proposal(self, margin: float) -> Tolerance | None:
        """A tolerance that allows ``margin`` times each error seen; None where none was.

        ``rtol`` covers the upper half of the expected values by magnitude, ``atol`` what it leaves of the
        others. Values of one binary exponent are taken for the smallest, so that none is allowed less.
        """
        if not self.max_error:
            return None
        relative = max((most / _least(exponent) for exponent, most in self._upper_half()), default=0.0)
        absolute = max(
            max(0.0, most - relative * _least(exponent)) for exponent, (_, most) in self.largest.items()
        )
        return Tolerance(atol=round_up(margin * absolute), rtol=round_up(margin * relative))

    def _upper_half(self) -> list[tuple[int, float]]:
        total, above, found = sum(count for count, _ in self.largest.values()), 0, []
        for exponent in sorted(self.largest, reverse=True):
            count, most = self.largest[exponent]
            if above >= total / 2 or not _least(exponent):
                break
            above += count
            found.append((exponent, most))
        return found


def _least(exponent: int) -> float:
    """The smallest magnitude that ``math.frexp`` gives this exponent."""
    return 0.0 if exponent == OF_ZERO else math.ldexp(0.5, exponent)


def round_up(number: float) -> float:
    """The least number of two significant digits that is not smaller."""
    exact = Decimal(number)
    place = Decimal((0, (1,), exact.adjusted() - 1))
    return float(exact.quantize(place, rounding=ROUND_CEILING)) if number else 0.0
