"""How long a canary's evaluation window has to be at its low rate, on simulated noise whose truth is known.

Run `python benchmarks/latency_coverage/canary.py` (`--runs` for more or less). Rate, blocks, looks and limits
are those of gate.canary.toml, its window is varied. The noise is that of production: each answer by itself
(lognormal, sigma 0.3), and a factor common to both sides that wanders by a third over minutes, as other
traffic does.
"""

import argparse
import math
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from simulated import evidence

from harness.checks.latency.judge import judge, should_stop
from harness.checks.latency.settings import LatencySettings
from harness.config.suite import load_suite
from harness.model import Outcome
from harness.stats.looks import Looks

Times = NDArray[np.float64]

DECLARED = load_suite(Path(__file__).parents[2] / "gate.canary.toml").config.latency
SIGMA, COMMON_SIGMA, COMMON_S = 0.3, 0.3, 120.0
STALLED_SHARE = 0.02
WINDOWS_S = (120, 300, 900, 1800)
CHANGES = {
    "none (A/A)": (1.0, 0.0),
    "+10 %": (1.10, 0.0),
    "+25 %": (1.25, 0.0),
    "+50 %": (1.5, 0.0),
    "2 % stalls of 10x": (1.0, 10.0),
}


def times(
    rng: np.random.Generator, settings: LatencySettings, slower: float, stall: float
) -> tuple[Times, Times]:
    """Reference's and candidate's, shape (pairs,) each, in units of `TYPICAL_S`."""
    pairs = settings.blocks * settings.block_arrivals
    knots = np.arange(0, pairs / settings.rate_per_s + COMMON_S, COMMON_S / 4)
    memory = math.exp(-0.25)
    wander = np.zeros(knots.size)
    for knot in range(1, knots.size):
        wander[knot] = memory * wander[knot - 1] + math.sqrt(1 - memory**2) * rng.standard_normal()
    common = np.exp(COMMON_SIGMA * np.interp(np.arange(pairs) / settings.rate_per_s, knots, wander))
    reference, candidate = (common * np.exp(SIGMA * rng.standard_normal(pairs)) for _ in range(2))
    return reference, slower * candidate + stall * (rng.random(pairs) < STALLED_SHARE)


def verdict(
    rng: np.random.Generator, settings: LatencySettings, slower: float, stall: float
) -> tuple[str, float]:
    """Return the verdict and the minutes it took."""
    reference, candidate = times(rng, settings, slower, stall)
    for blocks in Looks(blocks=settings.blocks).at_blocks:
        seen = evidence(reference, candidate, settings, blocks)
        if should_stop(seen, settings.limits):
            break
    outcomes = {finding.outcome for finding in judge(seen, settings.limits)}
    minutes = blocks * settings.block_s / 60
    if Outcome.FAIL in outcomes:
        return "reject", minutes
    return "inconclusive" if Outcome.INCONCLUSIVE in outcomes else "promote", minutes


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=100, help="of each line")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    started = time.monotonic()
    print("window  change              promote   reject  inconclusive  median minutes")
    for window_s in WINDOWS_S:
        settings = DECLARED.model_copy(update={"budget_s": float(window_s)})
        for number, (change, (slower, stall)) in enumerate(CHANGES.items()):
            rng = np.random.default_rng([asked.seed, window_s, number])
            runs = [verdict(rng, settings, slower, stall) for _ in range(asked.runs)]
            counts = Counter(name for name, _ in runs)
            promoted, rejected, undecided = (
                f"{100 * counts[name] / asked.runs:.0f} %" for name in ("promote", "reject", "inconclusive")
            )
            line = (
                f"{window_s / 60:.0f} min".ljust(8) + f"{change:17}{promoted:>10}{rejected:>9}{undecided:>14}"
            )
            print(f"{line}{np.median([minutes for _, minutes in runs]):>16.1f}", flush=True)
    sys.stderr.write(f"seed {asked.seed}, {asked.runs} runs each, {time.monotonic() - started:.0f} s\n")


if __name__ == "__main__":
    main()
