"""Where a value lies in a drawing, and which values are written beside it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

MOST_TICKS = 8
_LEAST_OF_LOG = 1e-9
_DECADES_WITH_STEPS = 2.2


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Maps ``low`` to ``start`` and ``high`` to ``end``; what lies outside lands on the nearer of them.

    Attributes:
        low: Finite; ``high`` likewise, and larger.
        warp: Monotone, finite on [low, high].
    """

    low: float
    high: float
    start: float
    end: float
    warp: Callable[[float], float] = float

    def __call__(self, value: float) -> float:
        """The place of a value, which may be infinite but not NaN."""
        low, high = self.warp(self.low), self.warp(self.high)
        share = (self.warp(min(max(value, self.low), self.high)) - low) / (high - low)
        return self.start + share * (self.end - self.start)


def linear(low: float, high: float, start: float, end: float) -> Scale:
    """Equal distances for equal differences."""
    return Scale(low=low, high=high if high > low else low + 1.0, start=start, end=end)


def logarithmic(low: float, high: float, start: float, end: float) -> Scale:
    """Equal distances for equal ratios; what is not positive lies at ``start``."""
    low = min(max(low, _LEAST_OF_LOG), 1e300)
    return Scale(low=low, high=max(high, low * 1.1), start=start, end=end, warp=math.log10)


def tail(samples: int, start: float, end: float) -> Scale:
    """Equal distances from 90 to 99 to 99.9 %: shares up to that of the last but half of so many samples."""
    most = 1.0 - 0.5 / max(samples, 1)
    return Scale(low=0.0, high=most, start=start, end=end, warp=lambda share: -math.log10(1.0 - share))


def linear_ticks(scale: Scale) -> tuple[float, ...]:
    """Round values, at most eight."""
    rough = (scale.high - scale.low) / MOST_TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first, last = math.ceil(scale.low / step), math.floor(scale.high / step)
    return tuple(step * number for number in range(first, last + 1))


def log_ticks(scale: Scale) -> tuple[float, ...]:
    """Powers of ten, with 2 and 5 times them where there is room; round values within less than a decade."""
    low, high = math.log10(scale.low), math.log10(scale.high)
    steps = (1, 2, 5) if high - low < _DECADES_WITH_STEPS else (1,)
    apart = max(1, math.ceil((high - low) / MOST_TICKS))
    ticks = tuple(
        factor * 10.0**power
        for power in range(math.floor(low), math.ceil(high) + 1, apart)
        for factor in steps
        if scale.low <= factor * 10.0**power <= scale.high
    )
    return ticks if len(ticks) > 1 else linear_ticks(scale)
