"""Whether a changed value of gate.toml allows more than before."""

import math
import re
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import assert_never

from harness.model import Direction


class Looser(StrEnum):
    """What of a key makes its policy let more pass."""

    HIGHER = "higher"
    """A larger number, date or size of memory (``512m``); none is no limit."""
    LOWER = "lower"
    """A smaller number; none is no limit."""
    ALLOWANCE = "allowance"
    """A larger number; none allows nothing."""
    ALLOWS = "allows"
    """True, or a further entry; a list that is none allows all."""
    ASKS = "asks"
    """False, an entry less, or none."""
    SHARPNESS = "sharpness"
    """A word for less, in the order of ``_SHARPNESS``; none is the default, which is the least."""


_SHARPNESS = ("info", "warning", "warn", "error", "fail")
_LEAST = -1.0
_SIZE = re.compile(r"([1-9][0-9]*)([kmg])")
_BYTES = MappingProxyType({"k": 1024, "m": 1024**2, "g": 1024**3})


def direction(rule: Looser | None, old: object, new: object) -> Direction:
    """Which way a value went, so that the way back is the other one.

    Args:
        rule: None where nothing is known of the key.
        old: As the settings hold it, or None for a key or entry that is not there; ``new`` alike.
    """
    if rule is None:
        return Direction.CHANGED
    before, after = _looseness(rule, old), _looseness(rule, new)
    if before is None or after is None or before == after:
        return Direction.CHANGED
    return Direction.LOOSENED if after > before else Direction.TIGHTENED


def _looseness(rule: Looser, value: object) -> float | None:
    """A number that is larger the more a value allows; None where it cannot be told."""
    match rule:
        case Looser.HIGHER:
            return math.inf if value is None else _number(value)
        case Looser.LOWER:
            number = _number(value)
            return math.inf if value is None else None if number is None else -number
        case Looser.ALLOWANCE:
            return -math.inf if value is None else _number(value)
        case Looser.ALLOWS:
            return 0.0 if value is None or value is False else 1.0
        case Looser.ASKS:
            return 1.0 if value is None or value is False else 0.0
        case Looser.SHARPNESS:
            return -(_LEAST if value is None else float(_SHARPNESS.index(str(value))))
        case _:
            assert_never(rule)


def _number(value: object) -> float | None:
    match value:
        case bool():
            return None
        case int() | float():
            return value  # an int as it is: not each has a float
        case date():
            return float(value.toordinal())
        case str() if size := _SIZE.fullmatch(value):
            return int(size[1]) * _BYTES[size[2]]
        case _:
            return None
