"""Which pairs met a spell in which the machine was slow for both sides; symmetric in the sides.

A machine that takes milliseconds for itself, a few times a second, makes some requests of either side slow by
a time that has nothing to do with the service. Beyond a high quantile there may be hardly any others, and the
quantile then says how the machine is, whatever the service does. A service's own slow requests come when they
come; those of the machine come to both sides at once. So a spell is where a request of either side is slow,
and one of the other side beside it, in the pair before or after: not in its own pair, which asks the same and
may be slow for what it asks.

Slow requests of the services' own meet by chance as well. How often is seen where the sides are moved against
each other by parts of a block: what meets then was not slow at the same time. Unless they meet clearly more
often than that, spells are not told from chance, and nothing is set aside. Where it is, chance sets aside
some of the services' own slow requests with the machine's, and the tail that is left is thinner than theirs:
by how much is told, so that a quantile can be looked for where it lies now.

Slow is meant against the median of the side in its block, and neighbours are of one block, so that the spells
of times that are exchangeable up to a factor between the sides do not depend on which side is which: tests by
sign flips stay exact on the pairs that are left, and on those that are set aside. What a candidate does to
both sides at once, by taking the core from the reference, has to be looked for among the latter
(`harness.stats.paired`).
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from harness.stats.quantiles import Times

SLOW = 1.5
"""Times the median."""
MORE_THAN_CHANCE = 1.25
"""So many times as often as by chance have slow requests to meet,"""
SURE = 3.0
"""and by so many standard deviations of the difference of two counts more."""
_PARTS = (3, 4)
"""One side is moved by a third and a quarter of a block against the other: further than a spell is long."""

Marks = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Aside:
    """Pairs that are set aside.

    Attributes:
        pairs: Which, shape (n,).
        thinned: By what share fewer of the services' own slow requests than of their others are left, by
            chance; 0 where nothing is set aside.
    """

    pairs: Marks
    thinned: float = 0.0

    @classmethod
    def none(cls, n: int) -> Self:
        """Set none of n pairs aside."""
        return cls(pairs=np.zeros(n, dtype=np.bool_))

    def only(self, rows: Marks) -> Self:
        """Take some of the pairs, shape (n,)."""
        return type(self)(pairs=self.pairs[rows], thinned=self.thinned)

    def level(self, probability: float) -> float:
        """Return where a quantile of the services' own times lies among the pairs that are left."""
        return 1.0 - (1.0 - probability) * (1.0 - self.thinned)


def in_spells(candidate: Times, reference: Times, blocks: NDArray[np.intp], *, most: float) -> Aside:
    """Say which pairs are in a spell or beside one; none where they would be more than `most`.

    Failed requests are not slow, and their pairs are never in a spell.

    Args:
        candidate: Shape (n,), in order of arrival, +inf where the request failed.
        reference: Shape (n,), the other members of the same pairs.
        blocks: Shape (n,), the block of each pair, not decreasing.
        most: Share of the pairs. With more, slow is what the services are, and not the machine.
    """
    failed = np.isinf(candidate) | np.isinf(reference)
    slow_c, slow_r = (_slow(times, blocks) & ~failed for times in (candidate, reference))
    met = _met(slow_c, slow_r, blocks)
    spells = _beside(met, blocks, itself=True) & ~failed
    meeting = met.sum()
    if not meeting or spells.mean() > most:
        return Aside.none(spells.size)
    moved = [
        sides
        for part in _PARTS
        for sides in ((slow_c, _moved(slow_r, blocks, part)), (_moved(slow_c, blocks, part), slow_r))
    ]
    by_chance = [_met(*sides, blocks) for sides in moved]
    chance = float(np.mean([each.sum() for each in by_chance]))
    if meeting < MORE_THAN_CHANCE * chance + SURE * math.sqrt(2.0 * chance):
        return Aside.none(spells.size)
    aside = [_beside(each, blocks, itself=True) for each in by_chance]
    return Aside(pairs=spells, thinned=_thinned(moved, aside))


def _thinned(moved: list[tuple[Marks, Marks]], aside: list[Marks]) -> float:
    """Return `Aside.thinned`: what chance sets aside of the slow requests, against what of all."""
    slow = sum(int(side.sum()) for sides in moved for side in sides)
    hit = sum(int((side & each).sum()) for sides, each in zip(moved, aside, strict=True) for side in sides)
    of_slow, of_all = hit / slow, float(np.mean(aside))
    return max(0.0, (of_slow - of_all) / (1.0 - of_all))


def _met(slow_c: Marks, slow_r: Marks, blocks: NDArray[np.intp]) -> Marks:
    """Which pairs have a slow request beside a slow one of the other side."""
    return slow_c & _beside(slow_r, blocks) | slow_r & _beside(slow_c, blocks)


def _slow(times: Times, blocks: NDArray[np.intp]) -> Marks:
    parts = np.split(times, _starts(blocks)[1:])
    return np.concatenate(
        [part > SLOW * np.partition(part, part.size // 2)[part.size // 2] for part in parts]
    )


def _moved(marks: Marks, blocks: NDArray[np.intp], part: int) -> Marks:
    """Move them by a part of their block; what leaves it at its end comes back at its beginning."""
    of_blocks = np.split(marks, _starts(blocks)[1:])
    return np.concatenate([np.roll(each, each.size // part) for each in of_blocks])


def _starts(blocks: NDArray[np.intp]) -> NDArray[np.intp]:
    return np.flatnonzero(np.diff(blocks, prepend=-1))


def _beside(marks: Marks, blocks: NDArray[np.intp], *, itself: bool = False) -> Marks:
    """Which have a marked neighbour in their block."""
    beside = marks.copy() if itself else np.zeros_like(marks)
    together = blocks[1:] == blocks[:-1]
    beside[1:] |= marks[:-1] & together
    beside[:-1] |= marks[1:] & together
    return beside
