"""A series of numbers as one line of text."""

import math
from collections.abc import Sequence

LEVELS = "▁▂▃▄▅▆▇█"
MISSING = "·"


def sparkline(values: Sequence[float | None]) -> str:
    """One character a value, from the least to the largest of them; a dot where there is none.

    A series that does not vary is drawn at its lowest level.
    """
    numbers = [value for value in values if value is not None and math.isfinite(value)]
    if not numbers:
        return MISSING * len(values)
    least, largest = min(numbers), max(numbers)
    return "".join(
        MISSING if value is None or not math.isfinite(value) else LEVELS[_level(value, least, largest)]
        for value in values
    )


def _level(value: float, least: float, largest: float) -> int:
    # Halved, since the difference of two floats of opposite sign can be infinite.
    span = largest / 2 - least / 2
    return round((value / 2 - least / 2) / span * (len(LEVELS) - 1)) if span else 0
