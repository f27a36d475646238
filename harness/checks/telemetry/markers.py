"""Inputs with values that are found again wherever they are written, as far as a text keeps enough digits."""

import random
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

LEAST_DIGITS = 7
LEAST_CHARACTERS = 16
LEAST_NUMBERS = 8
_DIGITS = re.compile(r"\d")


def marked(value: Any, seeded: random.Random) -> Any:
    """``value`` with every float of it moved by less than a thousandth, to one of many digits."""
    if isinstance(value, dict):
        return {key: marked(item, seeded) for key, item in value.items()}
    if isinstance(value, list):
        return [marked(item, seeded) for item in value]
    if isinstance(value, float):
        return value * (1 + seeded.uniform(1e-4, 9e-4))
    return value


def renderings(value: Any) -> Iterator[str]:
    """How parts of ``value`` would be written: floats in full and rounded, long texts, runs of integers.

    None of them is likely to stand anywhere by chance.
    """
    if isinstance(value, dict):
        for item in value.values():
            yield from renderings(item)
    elif isinstance(value, list):
        yield from _run(value)
        for item in value:
            yield from renderings(item)
    elif isinstance(value, float):
        yield from _float(value)
    elif isinstance(value, str) and len(value) >= LEAST_CHARACTERS:
        yield value


def _float(value: float) -> Iterator[str]:
    single = np.float32(value)
    for text in {repr(value), repr(float(single)), str(single), f"{value:.6f}", f"{value:.8g}"}:
        if len(_DIGITS.findall(text.lstrip("-0."))) >= LEAST_DIGITS:
            yield text


def _run(values: list[Any]) -> Iterator[str]:
    """The first integers of a list, if they are not all but alike."""
    first = values[:LEAST_NUMBERS]
    if all(type(item) is int for item in first) and len(set(first)) >= LEAST_NUMBERS // 2:
        for comma in (",", ", "):
            yield comma.join(map(str, first))


def found(values: Iterator[str], text: str) -> bool:
    """Whether one of them stands in ``text`` by itself: not within a longer number or word."""
    # Looked for one by one first: thousands of alternatives at each place of a long log take minutes.
    there = [value for value in dict.fromkeys(values) if value in text]
    alternatives = "|".join(map(re.escape, there)) or r"(?!)"
    return re.search(rf"(?<![\w.])(?:{alternatives})(?![\w])", text) is not None
