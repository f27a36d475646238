"""Distances in units in the last place, against the bits themselves."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.golden.ulp import FORMATS, ulps_apart

STRUCT = {"float16": ("e", "H"), "float32": ("f", "I"), "float64": ("d", "Q")}
LARGEST = {"float16": 65504.0, "float32": 3.4028234663852886e38, "float64": 1.7976931348623157e308}


def bits(value, dtype):
    """The bits of a number without its sign, as an integer that has it."""
    float_code, integer_code = STRUCT[dtype]
    packed = struct.pack(f">{float_code}", abs(value))
    place = struct.unpack(f">{integer_code}", packed)[0]
    return -place if value < 0 else place


@pytest.mark.parametrize("dtype", STRUCT)
@given(data=st.data())
def test_the_distance_is_that_of_the_bits(dtype, data):
    largest = LARGEST[dtype]
    values = st.floats(-largest, largest) | st.floats(-1e-7, 1e-7) | st.integers(-60000, 60000)
    one, other = data.draw(values), data.draw(values)
    assert ulps_apart(one, other, dtype) == abs(bits(one, dtype) - bits(other, dtype))


@pytest.mark.parametrize("dtype", STRUCT)
@given(place=st.integers(0, 2**15), steps=st.integers(0, 40))
def test_subnormal_and_small_numbers_are_steps_apart(dtype, place, steps):
    # The n-th value above zero, whatever the format: its bits are n.
    precision, smallest_normal = FORMATS[dtype]
    place = min(place, 2 ** (precision - 1))
    one = math.ldexp(place, smallest_normal - precision + 1)
    other = math.ldexp(min(place + steps, 2 ** (precision - 1)), smallest_normal - precision + 1)
    assert ulps_apart(one, other, dtype) == min(steps, 2 ** (precision - 1) - place)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        (1.0, 1.0078125, 1),  # 2**-7, the step above 1
        (1.0, 0.99609375, 1),  # 2**-8, the step below
        (1.0, 1.00390625, 0),  # halfway: to even
        (1.0078125, 1.01171875, 1),  # halfway from an odd one: away from it
        (1.0, 2.0, 128),
        (2.0**-126, 2.0**-133 * 127, 1),  # the smallest normal and the largest subnormal
        (0.0, -0.0, 0),
        (2.0**-133, -(2.0**-133), 2),
        # By way of float32 it would round twice, and up.
        (1 + 2.0**-8 - 2.0**-40, 1.0, 0),
        (1 + 2.0**-8 + 2.0**-40, 1.0, 1),
    ],
)
def test_bfloat16(one, other, apart):
    assert ulps_apart(one, other, "bfloat16") == apart
