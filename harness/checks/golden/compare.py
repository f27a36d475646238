"""One observed value against one expected value; pure."""

import math
import sys
from dataclasses import dataclass
from typing import Any, Self

from harness.checks.golden.limits import Tolerance
from harness.checks.golden.settings import Dtype, OutputSettings
from harness.checks.golden.ulp import ulps_apart
from harness.checks.golden.wire import Leaf, WireError, leaves


@dataclass(frozen=True)
class Comparison:
    """The worst element of one output of one case.

    Attributes:
        tolerance_used: ``abs(observed - expected) / (atol + rtol * abs(expected))``, or the ULPs apart as a
            share of those allowed where that is less; above 1 breaks, infinity is what no tolerance mends.
        pointer: From the output to the element.
        problem: Why the value cannot be compared at all; empty for a difference in value.
        tied: Whether it is another label that is as good.
    """

    tolerance_used: float
    pointer: str = ""
    expected: Any = None
    observed: Any = None
    problem: str = ""
    tied: bool = False

    @property
    def holds(self) -> bool:
        """Whether the value passes."""
        return self.tolerance_used <= 1

    @property
    def error(self) -> float:
        """The absolute error; infinite where the values are no numbers, are not finite or do not compare."""
        return math.inf if self.problem else absolute_error(self.observed, self.expected)

    def is_worse_than(self, other: Self) -> bool:
        """By the share of the tolerance; where no tolerance mends either, by the absolute error."""
        if math.isinf(self.tolerance_used) and math.isinf(other.tolerance_used):
            return self.error > other.error
        return self.tolerance_used > other.tolerance_used


def compare(observed: Any, expected: Any, output: OutputSettings, tolerance: Tolerance) -> Comparison:
    """Hold an output against the golden value: dtype and shape exact, then each element.

    Args:
        observed: Parsed JSON, of any layout.
        expected: Parsed JSON that fits ``output``; the golden set is checked for that when it is read.
        output: The declaration.
        tolerance: Strings and booleans are exact whatever it says.
    """
    wanted = leaves(expected, output)
    try:
        seen = leaves(observed, output)
    except WireError as error:
        return Comparison(math.inf, pointer=error.pointer, problem=str(error))
    worst = Comparison(-1.0)
    for pointer, value in wanted.items():
        used = tolerance_used(seen[pointer], value, tolerance, output.dtype)
        if used > worst.tolerance_used or math.isinf(used):
            this = Comparison(used, pointer, expected=value, observed=seen[pointer])
            worst = this if this.is_worse_than(worst) else worst
    return worst


def tolerance_used(observed: Leaf, expected: Leaf, tolerance: Tolerance, dtype: Dtype) -> float:
    """The error as a share of what is allowed.

    Equal values use nothing, and NaN equals NaN here. Under an exact tolerance, for strings and booleans, and
    where only one is finite, any difference is infinite. The error of two integers is exact.
    """
    if observed == expected or (observed != observed and expected != expected):  # noqa: PLR0124 - NaN alone
        return 0.0
    if isinstance(observed, str | bool) or isinstance(expected, str | bool):
        return math.inf
    if not (math.isfinite(observed) and math.isfinite(expected)):
        return math.inf
    error = error_of(observed, expected)
    # An allowance that overflows stays finite, so that an infinite error still exceeds it.
    allowed = min(tolerance.atol + tolerance.rtol * abs(float(expected)), sys.float_info.max)
    used = error / allowed if allowed > 0 else math.inf
    if tolerance.ulp is not None:
        used = min(used, ulps_apart(observed, expected, dtype) / tolerance.ulp)
    return used


def absolute_error(observed: Any, expected: Any) -> float:
    """:func:`error_of` of two finite numbers, infinity for anything else that differs."""
    if isinstance(observed, str | bool) or isinstance(expected, str | bool):
        return math.inf
    return error_of(observed, expected) if math.isfinite(observed) and math.isfinite(expected) else math.inf


def error_of(observed: float, expected: float) -> float:
    """``abs(observed - expected)``, exact for two integers as long as a double holds it."""
    if isinstance(observed, int) and isinstance(expected, int):
        return float(abs(observed - expected))
    return abs(float(observed) - float(expected))
