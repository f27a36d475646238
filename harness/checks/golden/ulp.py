"""How many values of a float format lie between two numbers; pure."""

import math

FORMATS = {
    "float16": (11, -14),
    "bfloat16": (8, -126),
    "float32": (24, -126),
    "float64": (53, -1022),
}
"""Bits of significand with the hidden one, and exponent of the smallest normal number (IEEE 754, 3.6)."""


def ulps_apart(one: float, other: float, dtype: str) -> int:
    """The steps from one value to the next that lead from ``one`` to ``other``, both rounded to ``dtype``.

    Args:
        one: Finite, and not beyond ``dtype``.
        other: Likewise.
        dtype: A key of :data:`FORMATS`.
    """
    return abs(_ordinal(one, dtype) - _ordinal(other, dtype))


def _ordinal(value: float, dtype: str) -> int:
    """The place of a value among all of its format, zero at 0.

    The bits of an IEEE 754 number, its sign aside and read as an integer, grow by one from each value to the
    next: through the subnormal numbers, and from the last significand of one exponent to the first of the
    next. They are computed here, not taken from memory, because Python has no bfloat16, and rounding to it by
    way of float32 would round twice. ``round`` is to even, and the scaling by powers of two is exact.
    """
    precision, smallest_normal = FORMATS[dtype]
    # frexp gives a significand in [0.5, 1): its exponent is one more than that of IEEE 754.
    exponent = max(math.frexp(value)[1] - 1, smallest_normal) if value else smallest_normal
    significand = round(math.ldexp(abs(value), precision - 1 - exponent))
    place = (exponent - smallest_normal) * (1 << (precision - 1)) + significand
    return -place if value < 0 else place
