"""What the latency check saw: the raw samples, and what they were asked for."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import ConfigDict, Field

from harness.checks.interface import EVIDENCE_FILE, Evidence
from harness.checks.latency.promises import Promises
from harness.checks.latency.snapshots import Snapshot
from harness.checks.latency.usage import Usage
from harness.load import Samples, measure_health
from harness.stats.looks import Looks

SAMPLES_FILE = "samples.npz"


class LatencyEvidence(Evidence):
    """Metadata in ``evidence.json``, the samples beside it in ``samples.npz`` (`harness.load.Samples`).

    Attributes:
        sides: Names by their number in the samples: reference and candidate, or the candidate alone.
        endpoints: The number of payloads of each endpoint, by its name: the first so many payload numbers of
            the samples are the first endpoint's, and so on.
        rate_per_s: Arrivals a second at each side.
        planned_blocks: What was declared beforehand; with it the looks are fixed.
        unix_offset_s: Unix time minus the times in the samples.
        generator_error: Why the generator stopped before the end; empty where it did not.
        checks: How many latency checks the suite declares: the error of a reject is divided among them.
        web_ui: Whether the generator also showed itself live (`--dashboard`), for CPU time of its own.
        promises: What the candidate's manifest promises; None where nobody asked.
        usage: CPU time and memory of the sides in each block; empty where nobody looked.
        cpu_steal_share: The largest share of a core's time beside the load that its host gave to others; None
            where that is not known.
        cpu_steal_shares: The same of each block; empty where that is not known.
        snapshots: Of both sides' metrics, in order of time; their texts lie beside.
        samples: The requests of all blocks that were sent.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    sides: tuple[str, ...]
    endpoints: dict[str, int] = {}
    rate_per_s: float
    planned_blocks: int
    seed: int
    unix_offset_s: float
    generator_error: str = ""
    checks: Annotated[int, Field(ge=1)] = 1
    web_ui: bool = False
    promises: Promises | None = None
    cpu_steal_share: float | None = None
    cpu_steal_shares: tuple[float, ...] = ()
    usage: Usage = Usage()
    snapshots: tuple[Snapshot, ...] = ()
    samples: Annotated[Samples, Field(exclude=True)]

    @property
    def blocks(self) -> int:
        """How many blocks were sent."""
        return self.samples.wall_s.size

    @property
    def block_arrivals(self) -> int:
        """Requests to each side in one block."""
        return int(np.count_nonzero((self.samples.block == 0) & (self.samples.side == self.candidate)))

    @property
    def block_s(self) -> float:
        """How long a block is meant to take."""
        return self.block_arrivals / self.rate_per_s

    @property
    def planned_pairs(self) -> int:
        """Requests to each side in all blocks that were declared."""
        return self.block_arrivals * self.planned_blocks

    @property
    def looks(self) -> Looks:
        """The looks that were declared."""
        return Looks(blocks=self.planned_blocks)

    @property
    def reference(self) -> int | None:
        """Number of the reference's side, None where there is none."""
        return 0 if len(self.sides) > 1 else None

    @property
    def candidate(self) -> int:
        """Number of the candidate's side."""
        return len(self.sides) - 1

    @property
    def reference_failures(self) -> int:
        """Failed requests of the reference; 0 where there is none."""
        if self.reference is None:
            return 0
        return int(self.samples.failed[self.samples.of_side(self.reference)].sum())

    def until(self, look: int) -> Self:
        """Return what was seen in the blocks before one."""
        return self.model_copy(update={"samples": self.samples.until(look), "usage": self.usage.until(look)})

    def validity(self) -> dict[str, float | None]:
        """Figures about the generator and the machine, see `harness.load.LoadHealth`."""
        health = measure_health(self.samples, steady_side=self.reference)
        drift = {} if health.drift is None else {"reference_drift": health.drift}
        figures = {
            "generator_lag_p99_ms": health.lag_p99_ms,
            "generator_heartbeat_p99_ms": health.heartbeat_p99_ms,
            "generator_cpu_share": health.cpu_share,
            "overlap_share": health.overlap_share,
            **drift,
            **({} if self.cpu_steal_share is None else {"cpu_steal_share": self.cpu_steal_share}),
            **self._gpu(),
            **({"generator_web_ui": 1.0} if self.web_ui else {}),
        }
        return {name: value if math.isfinite(value) else None for name, value in figures.items()}

    def _gpu(self) -> dict[str, float]:
        """What is known of the GPUs; nothing where the sides do not run on one."""
        gpu = self.usage.gpu
        if gpu is None:
            return {}
        held = gpu.memory_of(self.candidate)
        known = {
            "gpu_utilisation": gpu.utilisation,
            "candidate_gpu_memory_mib": None if held is None else held / 1024**2,
        }
        return {name: value for name, value in known.items() if value is not None}

    def save(self, folder: Path, redact: Callable[[str], str]) -> None:
        """Write both files."""
        super().save(folder, redact)
        self.samples.save(folder / SAMPLES_FILE)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read both files.

        Raises:
            OSError: A file is missing.
            ValueError: A file is not this evidence.
        """
        metadata = json.loads((folder / EVIDENCE_FILE).read_bytes())
        return cls(**metadata, samples=Samples.load(folder / SAMPLES_FILE))
