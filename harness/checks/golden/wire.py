"""JSON read strictly, and whether a JSON value is of a declared dtype and shape."""

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from harness.checks.golden.settings import Dtype, OutputSettings
from harness.errors import shown
from harness.model import NOT_FINITE

Leaf = bool | int | float | str

MOST_LEVELS = 64
_INTEGERS = {
    f"{sign}int{bits}": range(-(2 ** (bits - 1)), 2 ** (bits - 1)) if not sign else range(2**bits)
    for bits in (8, 16, 32, 64)
    for sign in ("", "u")
}
# From here on a value rounds to infinity: halfway between the largest finite number and the next power
# of two, 2**(emax + 1) - 2**(emax - p) for p bits of significand (IEEE 754, section 4.3.1).
_ROUNDS_TO_INFINITY = {
    "float16": 2**16 - 2**4,
    "bfloat16": 2**128 - 2**119,
    "float32": 2**128 - 2**103,
    "float64": 2**1024 - 2**970,
}


class WireError(ValueError):
    """A value is not what was declared.

    Attributes:
        pointer: Where, from the value that was asked about.
    """

    def __init__(self, pointer: str, problem: str) -> None:
        super().__init__(problem)
        self.pointer = pointer


def parse_json(content: bytes) -> Any:
    """Parse JSON as RFC 8259 has it, and only what every other parser reads alike.

    No NaN, no Infinity, no number beyond a double, no key twice, no lone surrogate, at most 64 levels.

    Raises:
        ValueError: saying what is wrong.
    """
    try:
        document = json.loads(
            content.decode("utf-8"),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_distinct,
        )
    except RecursionError as error:
        raise ValueError(f"nested more than {MOST_LEVELS} levels") from error
    _refuse_depth(document)
    if b"\\u" in content:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    return document


def leaves(value: Any, output: OutputSettings) -> dict[str, Leaf]:
    """The elements of one output by their pointer, in order, each checked against the declaration.

    The wire type is exact: no bool or string passes for a number, an integer dtype needs an integer token
    (``1.0`` is none), a float may come as ``1`` or ``1.0``. JSON has one number type and services print a
    float32 either in its own shortest digits (``0.1``) or in those of the double that holds it
    (``0.10000000149011612``), so digits do not tell a float dtype: a value belongs to it when it stays
    finite after rounding to it. How exact the value is, is for the tolerance. What is not finite, in the
    declared writing, comes out as a float; null as NaN.

    Raises:
        WireError: at the first element that breaks the declaration.
    """
    return dict(_elements(value, output))


def _elements(value: Any, output: OutputSettings) -> Iterator[tuple[str, Leaf]]:
    if output.keys is None:
        yield from _array(value, output.shape, output, "")
        return
    if not isinstance(value, dict):
        raise WireError("", f"{json_type(value)} instead of an object with {list(output.keys)}")
    missing = [key for key in output.keys if key not in value]
    extra = [key for key in value if key not in output.keys]
    if missing or extra:
        problems = [*([f"lacks {missing}"] if missing else []), *([f"also has {extra}"] if extra else [])]
        raise WireError("", cut(f"object {' and '.join(problems)}"))
    for key in output.keys:
        escaped = key.replace("~", "~0").replace("/", "~1")
        yield from _array(value[key], output.shape, output, f"/{escaped}")


def _array(
    value: Any, shape: Sequence[int], output: OutputSettings, pointer: str
) -> Iterator[tuple[str, Leaf]]:
    if not shape:
        if output.nonfinite is not None and (written := _nonfinite(value, output.nonfinite)) is not None:
            yield pointer, written
            return
        problem = _element_problem(value, output.dtype)
        if problem:
            raise WireError(pointer, problem)
        yield pointer, value
        return
    if not isinstance(value, list):
        raise WireError(pointer, f"{json_type(value)} instead of an array of {shape[0]}")
    if len(value) != shape[0]:
        raise WireError(pointer, f"array of {len(value)} instead of {shape[0]}")
    for index, item in enumerate(value):
        yield from _array(item, shape[1:], output, f"{pointer}/{index}")


def _nonfinite(value: Any, writing: Literal["strings", "null"]) -> float | None:
    """The float that ``value`` stands for in this writing; None when it stands for none."""
    if writing == "null":
        return math.nan if value is None else None
    return NOT_FINITE.get(value) if isinstance(value, str) else None


def _element_problem(value: Any, dtype: Dtype) -> str:
    """What keeps ``value`` from being an element of ``dtype``; empty when nothing does."""
    match dtype:
        case "string":
            return "" if isinstance(value, str) else f"{json_type(value)} instead of a string"
        case "bool":
            return "" if isinstance(value, bool) else f"{json_type(value)} instead of a boolean"
        case "float16" | "bfloat16" | "float32" | "float64":
            if isinstance(value, bool) or not isinstance(value, int | float):
                return f"{json_type(value)} instead of a number"
            finite = not isinstance(value, float) or math.isfinite(value)
            within = finite and abs(value) < _ROUNDS_TO_INFINITY[dtype]
            return "" if within else f"{shown(value)} is beyond {dtype}"
        case _:
            if isinstance(value, bool) or not isinstance(value, int):
                return f"{json_type(value)} {shown(value)} instead of an integer token"
            return "" if value in _INTEGERS[dtype] else f"{shown(value)} is beyond {dtype}"


def json_type(value: Any) -> str:
    """The JSON name of a parsed value's type."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def cut(text: str, most: int = 200) -> str:
    """Text that may hold what a candidate wrote, at most so many characters of it."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _refuse_constant(token: str) -> Any:
    raise ValueError(f"{token} is not JSON")


def _finite(token: str) -> float:
    number = float(token)
    if math.isinf(number):
        raise ValueError(f"{shown(token)} is beyond a double")
    return number


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("an object has a key twice")
    return document


def _refuse_depth(document: Any) -> None:
    level = [document]
    for _ in range(MOST_LEVELS):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    raise ValueError(f"nested more than {MOST_LEVELS} levels")
