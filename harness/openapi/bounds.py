"""Differences in numeric bounds, step sizes and counts."""

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from harness.openapi.delta import AlternativePair, Delta
from harness.openapi.schema import NUMERIC, Alternative

Bound = tuple[float, bool]
"""How far a bound reaches inwards, larger is narrower, and whether it excludes its own value."""


def range_deltas(pair: AlternativePair) -> Iterator[Delta]:
    """Differences in the least and greatest number, and in the steps between."""
    yield from _bound(pair, "minimum", "exclusiveMinimum", 1)
    yield from _bound(pair, "maximum", "exclusiveMaximum", -1)
    yield from _steps_delta(pair)


def _bound(pair: AlternativePair, inclusive: str, exclusive: str, sign: int) -> Iterator[Delta]:
    old, new = (_tightest(side, inclusive, exclusive, sign) for side in (pair.old, pair.new))
    if old == new:
        return
    narrowed = old is None or (new is not None and new > old)
    at = pair.place(inclusive if pair.new.having(inclusive) or not pair.new.having(exclusive) else exclusive)
    rule = f"range-{'narrowed' if narrowed else 'widened'}"
    yield Delta(rule, at, inclusive, _bound_text(old, sign), _bound_text(new, sign))


def _bound_text(bound: Bound | None, sign: int) -> Any:
    if bound is None:
        return None
    value, excluded = bound
    return f"{sign * value} (excluded)" if excluded else sign * value


def _tightest(alternative: Alternative, inclusive: str, exclusive: str, sign: int) -> Bound | None:
    bounds: list[Bound] = []
    for node in alternative.nodes:
        limit = node.number(inclusive)
        # 3.0 has a boolean that sharpens the inclusive bound, 3.1 a bound of its own.
        sharpened = node.fields.get(exclusive)
        if isinstance(sharpened, bool):
            if limit is not None:
                bounds.append((sign * limit, sharpened))
            continue
        if limit is not None:
            bounds.append((sign * limit, False))
        if (excluded := node.number(exclusive)) is not None:
            bounds.append((sign * excluded, True))
    if not bounds:
        return None
    value, is_excluded = max(bounds)
    if alternative.types & NUMERIC == {"integer"}:
        return (math.floor(value) + 1 if is_excluded else math.ceil(value)), False
    return value, is_excluded


def _steps_delta(pair: AlternativePair) -> Iterator[Delta]:
    old, new = _steps(pair.old), _steps(pair.new)
    if old == new:
        return
    # A set of steps is at least as narrow as another when each step of the other divides one of its own.
    narrower = all(any(step % other == 0 for step in new) for other in old)
    wider = all(any(step % other == 0 for step in old) for other in new)
    if narrower and wider:
        return
    effect = "narrowed" if narrower else "widened" if wider else "changed"
    yield Delta(f"range-{effect}", pair.place("multipleOf"), "multipleOf", _step_list(old), _step_list(new))


def _steps(alternative: Alternative) -> frozenset[Fraction]:
    found = set()
    for node in alternative.nodes:
        step = node.number("multipleOf")
        if step is not None:
            if step <= 0:
                raise node.error("a schema whose multipleOf is greater than 0")
            found.add(Fraction(str(step)))
    return frozenset(found)


def _step_list(steps: frozenset[Fraction]) -> list[int | float] | None:
    return [int(step) if step.denominator == 1 else float(step) for step in sorted(steps)] or None


def count_deltas(pair: AlternativePair, aspect: str, least: str, most: str) -> Iterator[Delta]:
    """Differences in how many characters, items or properties there may be."""
    old_least, new_least = (max(_numbers(side, least), default=0) for side in (pair.old, pair.new))
    if old_least != new_least:
        effect = "narrowed" if new_least > old_least else "widened"
        yield Delta(f"{aspect}-{effect}", pair.place(least), least, old_least, new_least)
    old_most, new_most = (min(_numbers(side, most), default=None) for side in (pair.old, pair.new))
    if old_most != new_most:
        narrowed = old_most is None or (new_most is not None and new_most < old_most)
        effect = "narrowed" if narrowed else "widened"
        yield Delta(f"{aspect}-{effect}", pair.place(most), most, old_most, new_most)


def _numbers(alternative: Alternative, keyword: str) -> list[int | float]:
    return [value for node in alternative.nodes if (value := node.number(keyword)) is not None]
