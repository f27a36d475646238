"""When a measurement may be judged, declared before it starts, and the error that each look may spend."""

from dataclasses import dataclass

from harness.stats.judgement import Spending


@dataclass(frozen=True, kw_only=True)
class Looks:
    """A group-sequential plan: at `fractions` of `blocks` the data are judged, and nowhere else.

    The error probability alpha is divided among the looks by the power family alpha * t^power of Kim and
    DeMets (Biometrika 1987). Each look is tested at its own increment, without credit for the looks'
    correlation (Bonferroni): conservative by a little, valid for any dependence between looks, for any
    test, and for any reason to stop at a look, so that stored data may be judged again under other
    limits. The first look costs little and is there for a candidate that answers nothing at all.

    Attributes:
        blocks: All that are sent.
        fractions: Of them, after which to look.
        within_power: Of what a false pass may spend: it saves for the last look, as a pass takes every limit.
        beyond_power: Of what a false fail may spend: it spends sooner, as one limit is enough, and early.
    """

    blocks: int
    fractions: tuple[float, ...] = (0.15, 0.3, 0.6, 1.0)
    within_power: float = 2.0
    beyond_power: float = 1.25

    @property
    def at_blocks(self) -> tuple[int, ...]:
        """The numbers of collected blocks at which to look, increasing; the last is `blocks`."""
        return tuple(
            sorted({max(1, round(fraction * self.blocks)) for fraction in self.fractions} | {self.blocks})
        )

    def latest(self, collected: int) -> int | None:
        """Return the last look that `collected` blocks have reached, as a number of blocks, or None."""
        return max((at for at in self.at_blocks if at <= collected), default=None)

    def spending_at(self, look: int, *, within: float, beyond: float) -> Spending:
        """Return what the look at `look` blocks may spend of the two errors of all looks together.

        Raises:
            ValueError: There is no look at that number of blocks.
        """
        index = self.at_blocks.index(look)
        before = self.at_blocks[index - 1] if index else 0

        def part(power: float) -> float:
            return float((look / self.blocks) ** power - (before / self.blocks) ** power)

        return Spending(within=within * part(self.within_power), beyond=beyond * part(self.beyond_power))
