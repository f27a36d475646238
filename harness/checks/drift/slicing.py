"""Divides requests into slices by values of their bodies; pure."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.checks.drift.evidence import Compared
from harness.checks.drift.settings import SliceSettings
from harness.errors import shown
from harness.stats.drift import bin_edges


@dataclass(frozen=True)
class Slice:
    """Some of the requests.

    Attributes:
        name: What they have in common.
        requests: Their indices, shape (n,).
    """

    name: str
    requests: NDArray[np.intp]


def slices_of(requests: Sequence[Compared], declared: Mapping[str, SliceSettings]) -> list[Slice]:
    """Every slice that has a request; one request is in at most one slice of each name."""
    return [each for name, settings in declared.items() for each in _divided(requests, name, settings.parts)]


def _divided(requests: Sequence[Compared], name: str, parts: int) -> list[Slice]:
    having = [(index, each.slices[name]) for index, each in enumerate(requests) if name in each.slices]
    numbers = [(index, float(value)) for index, value in having if _is_number(value)]
    texts = [(index, shown(value)) for index, value in having if not _is_number(value)]
    return _by_value(name, texts, parts) + _by_size(name, numbers, parts)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _by_value(name: str, texts: Sequence[tuple[int, str]], parts: int) -> list[Slice]:
    frequent = [value for value, _ in Counter(value for _, value in texts).most_common(parts)]
    return [
        Slice(f"{name} = {value}", np.array([index for index, other in texts if other == value]))
        for value in frequent
    ]


def _by_size(name: str, numbers: Sequence[tuple[int, float]], parts: int) -> list[Slice]:
    if not numbers:
        return []
    indices = np.array([index for index, _ in numbers])
    values = np.array([value for _, value in numbers])
    edges = bin_edges(values, parts)
    of = np.searchsorted(edges, values, side="right")
    bounds = [f"below {edges[0]:g}"] if len(edges) else ["any"]
    bounds += [f"{low:g} to {high:g}" for low, high in itertools.pairwise(edges)]
    bounds += [f"from {edges[-1]:g}"] if len(edges) else []
    return [Slice(f"{name} {bound}", indices[of == part]) for part, bound in enumerate(bounds)]
