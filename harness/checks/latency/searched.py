"""What the searches for a capacity found."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import ConfigDict, Field

from harness.checks.interface import EVIDENCE_FILE, Evidence
from harness.checks.latency.evidence import SAMPLES_FILE
from harness.checks.latency.trial import Trial, try_rate
from harness.load import Samples
from harness.model import Model

MOST_SAMPLES = 1_000_000
"""So many requests are stored with the evidence, those of whole trials from the first one on."""


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
        checks: How many latency checks the suite declares: the error of a reject is divided among them.
        sides: Reference and candidate, or the candidate alone.
        slo_ms: The limits of the search, by quantile.
        probabilities: Of these quantiles.
        max_error_rate: Likewise.
        most_per_s: The highest rate that could be tried.
        generator_error: Why the generator stopped before the end; empty where it did not.
        repeats: One search of each side, in the order of the sides.
        samples: The requests of the first trials, `block` being the number of the trial in the order of the
            repeats, their sides and their trials; heartbeats are those of all these trials together.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    checks: Annotated[int, Field(ge=1)] = 1
    sides: tuple[str, ...]
    slo_ms: dict[str, float]
    probabilities: dict[str, float] = {}
    max_error_rate: float
    most_per_s: float
    seed: int
    generator_error: str = ""
    repeats: tuple[tuple[Searched, ...], ...]
    samples: Annotated[Samples | None, Field(exclude=True)] = None

    @property
    def trials(self) -> Iterator[Trial]:
        """All trials, in the order that `samples` numbers them."""
        return (trial for repeat in self.repeats for searched in repeat for trial in searched.trials)

    def save(self, folder: Path, redact: Callable[[str], str]) -> None:
        """Write both files."""
        super().save(folder, redact)
        if self.samples is not None:
            self.samples.save(folder / SAMPLES_FILE)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read both files, and make sure that the trials are what their requests say.

        Raises:
            OSError: A file is missing.
            ValueError: A file is not this evidence, or they contradict each other.
        """
        metadata = json.loads((folder / EVIDENCE_FILE).read_bytes())
        path = folder / SAMPLES_FILE
        evidence = cls(**metadata, samples=Samples.load(path) if path.exists() else None)
        for number, trial in enumerate(evidence.trials):
            if not evidence._agrees(number, trial):
                raise ValueError(f"{path} contradicts {EVIDENCE_FILE}: trial {number} was another")
        return evidence

    def _agrees(self, number: int, trial: Trial) -> bool:
        """Say whether a trial is what its requests say; one whose requests are not stored is."""
        if self.samples is None or not np.any(self.samples.block == number):
            return True
        slo_ms = {name: (self.probabilities[name], limit) for name, limit in self.slo_ms.items()}
        again = try_rate(self.samples.of_block(number), trial.rate_per_s, slo_ms, self.max_error_rate)
        return (again.met, again.failed, again.times_ms) == (trial.met, trial.failed, trial.times_ms)


def join_trials(parts: list[Samples]) -> Samples | None:
    """Return the requests of the first trials, numbered, as many as may be stored; None without any."""
    sizes = np.cumsum([part.side.size for part in parts])
    kept = parts[: int(np.searchsorted(sizes, MOST_SAMPLES, side="right"))]
    return Samples.join([part.as_block(number) for number, part in enumerate(kept)]) if kept else None
