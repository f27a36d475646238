"""What the searches for a capacity found."""

from harness.checks.interface import Evidence
from harness.checks.latency.trial import Trial
from harness.model import Model


class Searched(Model):
    """One search of one side.

    Attributes:
        capacity_per_s: The highest rate that met the limits; 0 for none.
        trials: In their order.
    """

    capacity_per_s: float
    trials: tuple[Trial, ...]

    @property
    def saturated_per_s(self) -> float:
        """Most answers a second in a trial whose limits were not met; 0 for none."""
        return max((trial.answered_per_s for trial in self.trials if not trial.met), default=0.0)


class CapacityEvidence(Evidence):
    """All searches; the limits that they were made by cannot be changed afterwards.

    Attributes:
        sides: Reference and candidate, or the candidate alone.
        slo_ms: The limits of the search, by quantile.
        max_error_rate: Likewise.
        most_per_s: The highest rate that could be tried.
        repeats: One search of each side, in the order of the sides.
    """

    sides: tuple[str, ...]
    slo_ms: dict[str, float]
    max_error_rate: float
    most_per_s: float
    seed: int
    repeats: tuple[tuple[Searched, ...], ...]
