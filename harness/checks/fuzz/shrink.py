"""Makes a failing JSON value as small as it can be and still fail; pure but for the question it is given."""

import json
import math
from collections.abc import Callable, Iterator
from typing import Any


def shrunk(value: Any, fails: Callable[[Any], bool], *, most: int) -> Any:
    """The smallest value that was found, by :func:`effort`, for which ``fails`` is true.

    Greedy and without chance: each candidate is smaller than the best so far, and none is asked twice, so the
    same answers lead to the same result. Without a candidate that fails it is ``value`` itself.

    Args:
        value: JSON for which ``fails`` is true.
        fails: Asks a candidate.
        most: Questions.
    """
    best, asked = value, {effort(value)}
    while True:
        for candidate in simpler(best):
            cost = effort(candidate)
            if cost >= effort(best) or cost in asked:
                continue
            if len(asked) > most:
                return best
            asked.add(cost)
            if fails(candidate):
                best = candidate
                break
        else:
            return best


def effort(value: Any) -> tuple[int, str]:
    """What a value takes to read: its length as JSON, then its text. Equal only for equal values."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return len(text), text


def simpler(value: Any) -> Iterator[Any]:
    """Values like this one with less in them, those with the least first."""
    match value:
        case dict():
            yield from _smaller_objects(value)
        case list():
            yield from _smaller_lists(value)
        case str() if value:
            yield from ("", value[: len(value) // 2], value[len(value) // 2 :], value[:-1], value[1:])
            yield "".join("a" if character.isalpha() else "0" for character in value)
        case bool():
            return
        case int() | float() if value:
            yield from _plainer_numbers(value)


def _smaller_objects(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    names = list(value)
    if len(names) > 1:
        yield {}
    for name in names:
        yield {other: value[other] for other in names if other != name}
    for name in names:
        for inner in simpler(value[name]):
            yield {**value, name: inner}


def _smaller_lists(value: list[Any]) -> Iterator[list[Any]]:
    half = len(value) // 2
    if half:
        yield []
        yield value[:half]
        yield value[half:]
    for index in range(len(value)):
        yield value[:index] + value[index + 1 :]
    for index, item in enumerate(value):
        for inner in simpler(item):
            yield [*value[:index], inner, *value[index + 1 :]]


def _plainer_numbers(value: float) -> Iterator[float]:
    yield from (0, 1, -1)
    if isinstance(value, int):
        yield from (value // 10, -value)
    elif math.isfinite(value):
        yield from (math.trunc(value), 0.5, -0.5, round(value, 1), -value)
