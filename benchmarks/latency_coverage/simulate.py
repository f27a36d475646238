"""How often the latency verdict is wrong, on simulated noise whose truth is known.

Run `python benchmarks/latency_coverage/simulate.py` (`--runs` and `--checks` for more or less). Load and
limits are those of gate.toml: its budget, blocks, looks, SLOs, margins and confidence.

The first table puts one ratio exactly at its margin, where either verdict is wrong and at most 5 % of each
are promised (rejects: 5 % divided by the latency checks and by their limits). The second hands whole
evidence, made of simulated times, to the judge of the latency check, block by block as a run does.
"""

import argparse
import hashlib
import json
import math
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import NormalDist

import numpy as np
from simulated import TYPICAL_S, evidence

from harness.checks.latency.judge import judge, should_stop
from harness.checks.latency.limits import least_pairs
from harness.checks.latency.validity import judge_validity
from harness.checks.latency.view import LEAST_TAIL, View
from harness.config.suite import load_suite
from harness.model import Outcome
from harness.stats.groups import GROUPS, LEAST_GROUPS
from harness.stats.judgement import Shown, Spending
from harness.stats.looks import Looks
from harness.stats.paired import show_ratio
from harness.stats.proportions import clopper_pearson_upper
from harness.stats.spells import in_spells

SIGMA = 0.3
TICK_EVERY_S = 0.52
NORMAL = NormalDist()
GATE = Path(__file__).parents[2] / "gate.toml"
SETTINGS = load_suite(GATE).config.latency
LIMITS = SETTINGS.limits
LOOKS = Looks(blocks=SETTINGS.blocks)
PAIRS = SETTINGS.block_arrivals * SETTINGS.blocks

Pair = tuple[np.ndarray, np.ndarray]
Noise = Callable[[np.random.Generator], Pair]


def ar1(rng: np.random.Generator, rho: float) -> np.ndarray:
    """A standard normal AR(1) series, shape (PAIRS,)."""
    steps = math.sqrt(1 - rho * rho) * rng.standard_normal(PAIRS)
    series = np.empty(PAIRS)
    last = rng.standard_normal()
    for i in range(PAIRS):
        last = rho * last + steps[i]
        series[i] = last
    return series


def in_bursts(rng: np.random.Generator, every: int, length: int) -> np.ndarray:
    """Which pairs fall into bursts, shape (PAIRS,)."""
    starts = rng.random(PAIRS) < 1 / every
    return np.convolve(starts, np.ones(length))[:PAIRS] > 0


def some(rng: np.random.Generator, share_of_pairs: float) -> np.ndarray:
    """Which pairs are drawn, independently, shape (PAIRS,)."""
    return rng.random(PAIRS) < share_of_pairs


def independent(rng: np.random.Generator) -> Pair:
    return np.exp(SIGMA * rng.standard_normal(PAIRS)), np.exp(SIGMA * rng.standard_normal(PAIRS))


def autocorrelated(rho: float) -> Noise:
    """AR(1) noise of each side's own: the hardest case, pairing does not help."""
    return lambda rng: (np.exp(SIGMA * ar1(rng, rho)), np.exp(SIGMA * ar1(rng, rho)))


def hiccups(rng: np.random.Generator) -> Pair:
    """Every 4 s the machine stalls for 0.1 s; half of the requests then wait ten times their usual time."""
    sides = autocorrelated(0.5)(rng)
    burst = in_bursts(rng, 400, 10)
    c, r = (side + (burst & some(rng, 0.5)) * rng.exponential(10, PAIRS) for side in sides)
    return c, r


def busy_machine(rng: np.random.Generator) -> Pair:
    """A neighbour: all times wander by a factor common to both sides, and triple for 2 s now and then."""
    state = np.exp(0.4 * ar1(rng, 0.995)) * np.where(in_bursts(rng, 1500, 200), 3.0, 1.0)
    c, r = autocorrelated(0.5)(rng)
    return state * c, state * r


def ticks(rng: np.random.Generator) -> Pair:
    """Twice a second the machine takes 3 to 8 ms for itself: what is due then waits for the rest of it."""
    sides = independent(rng)
    at = np.arange(PAIRS) / SETTINGS.rate_per_s
    end = (
        np.floor(at / TICK_EVERY_S) * TICK_EVERY_S
        + rng.uniform(0.003, 0.008, PAIRS // 50 + 2)[np.floor(at / TICK_EVERY_S).astype(np.intp)]
    )
    # The second of a pair is due half a spacing after the first.
    second = some(rng, 0.5)
    c, r = (
        side + np.maximum(0.0, end - at - later * 0.5 / SETTINGS.rate_per_s) / TYPICAL_S
        for side, later in zip(sides, (second, ~second), strict=True)
    )
    return c, r


def heavy_requests(rng: np.random.Generator) -> Pair:
    """The same, where 5.5 % of what is asked takes either side five times as long."""
    c, r = ticks(rng)
    asked = np.where(some(rng, 0.055), 5.0, 1.0)
    return asked * c, asked * r


NOISES: dict[str, Noise] = {
    "independent": independent,
    "ticks of the machine": ticks,
    "ticks and heavy requests": heavy_requests,
    "AR(1) 0.9 of each side": autocorrelated(0.9),
    "AR(1) 0.98 of each side": autocorrelated(0.98),
    "hiccups": hiccups,
    "busy machine": busy_machine,
}


def stretched(times: np.ndarray, probability: float) -> np.ndarray:
    """Times with the same quantile, but ten times sparser around it: the shapes differ, not the limit."""
    anchor = math.exp(SIGMA * NORMAL.inv_cdf(probability))
    return anchor * (times / anchor) ** 10


def endpoint(c: np.ndarray, r: np.ndarray, probability: float, limit: float) -> Shown:
    """Walk the looks with one quantile until something is shown."""
    for pairs, blocks, spending in looks(probability):
        aside = None
        if probability >= LEAST_TAIL:
            aside = in_spells(c[:pairs], r[:pairs], blocks, most=LIMITS.max_set_aside)
        shown = show_ratio(
            c[:pairs],
            r[:pairs],
            blocks,
            probability=probability,
            limit=limit,
            spending=spending,
            aside=aside,
        )
        if shown is not Shown.NEITHER:
            return shown
    return Shown.NEITHER


def check(c: np.ndarray, r: np.ndarray) -> tuple[str, float]:
    """Collect block by block as the check does; return the verdict and the share of the budget it took."""
    for blocks in LOOKS.at_blocks:
        seen = evidence(r, c, SETTINGS, blocks)
        if should_stop(seen, LIMITS):
            break
    outcomes = {finding.outcome for finding in judge(seen, LIMITS)}
    if Outcome.FAIL in outcomes:
        return "reject", blocks / SETTINGS.blocks
    return "inconclusive" if Outcome.INCONCLUSIVE in outcomes else "promote", blocks / SETTINGS.blocks


def as_declared() -> str:
    """What the figures hold for: another plan, or other limits, have other ones."""
    fractions = ", ".join(f"{fraction:g}" for fraction in LOOKS.fractions)
    declared = tomllib.loads(GATE.read_text(encoding="utf-8"))["latency"]["limits"]
    digest = hashlib.sha256(json.dumps(declared, sort_keys=True).encode()).hexdigest()
    return (
        f"{GROUPS} groups, {LEAST_GROUPS} at least; looks at {fractions} of {SETTINGS.blocks} blocks of "
        f"{SETTINGS.block_arrivals} pairs, powers {LOOKS.within_power:g} and {LOOKS.beyond_power:g}; "
        f"confidence {LIMITS.confidence:g}; limits {digest[:12]}"
    )


def spendings() -> dict[int, Spending]:
    """What each limit may spend at each look, as the judge divides it."""
    even = np.ones(PAIRS)
    seen = evidence(even, even, SETTINGS, SETTINGS.blocks)
    _, doubt = judge_validity(seen, LIMITS)
    return {look: View.of(seen, LIMITS, look, doubt).spending for look in LOOKS.at_blocks}


def looks(probability: float) -> Iterator[tuple[int, np.ndarray, Spending]]:
    """Yield the pairs, their blocks and the spending of each look that has samples enough."""
    for look, spending in SPENDINGS.items():
        pairs = look * SETTINGS.block_arrivals
        if pairs >= least_pairs(probability):
            yield pairs, np.arange(pairs) // SETTINGS.block_arrivals, spending


SPENDINGS = spendings()


def table_at_margin(runs: int, seed: int) -> None:
    print(f"\nOne quantile exactly at its margin, {runs} runs each: wrong verdicts in % (95 % upper bound)")
    print(f"{'noise':30}{'quantile':10}{'false promote':>18}{'false reject':>18}")
    cases = [*NOISES.items(), ("candidate ten times sparser", independent)]
    for number, (name, noise) in enumerate(cases):
        rng = np.random.default_rng([seed, number])
        counts = {quantile_name: Counter[Shown]() for quantile_name in LIMITS.by_name}
        for _ in range(runs):
            c, r = noise(rng)
            for quantile_name, (probability, declared) in LIMITS.by_name.items():
                limit = 1 + declared.margin
                own = stretched(c, probability) if "sparser" in name else c
                counts[quantile_name][endpoint(limit * own, r, probability, limit)] += 1
        for quantile_name, count in counts.items():
            promoted, rejected = share(count[Shown.WITHIN], runs), share(count[Shown.BEYOND], runs)
            print(f"{name:30}{quantile_name:10}{promoted:>18}{rejected:>18}")
        sys.stdout.flush()


def taking_the_core(c: np.ndarray, r: np.ndarray, rng: np.random.Generator) -> Pair:
    """The candidate computes for five times its usual time; the reference has half of the core meanwhile."""
    computes = some(rng, 0.02)
    shared = np.convolve(computes, np.ones(4))[:PAIRS] > 0
    return c + 5 * computes, r + shared * rng.exponential(1.0, PAIRS)


def table_of_changes(runs: int, seed: int) -> None:
    changes: dict[str, Callable[[np.ndarray, np.ndarray, np.random.Generator], Pair]] = {
        "none (A/A)": lambda c, r, _: (c, r),
        "+5 %": lambda c, r, _: (1.05 * c, r),
        "+25 %": lambda c, r, _: (1.25 * c, r),
        "+50 %": lambda c, r, _: (1.5 * c, r),
        "slowest 5.5 % +50 %": lambda c, r, _: (np.where(c > np.quantile(c, 0.945), 1.5, 1.0) * c, r),
        "2 % stalls of 10x": lambda c, r, rng: (c + 10 * some(rng, 0.02), r),
        "2 % take the core": taking_the_core,
        "2 % errors": lambda c, r, rng: (np.where(some(rng, 0.02), np.inf, c), r),
    }
    print(
        f"\nThe whole latency check, {runs} runs each: verdicts in % (95 % upper bound), median of the budget"
    )
    print(f"{'noise':30}{'change':20}{'promote':>16}{'reject':>16}{'inconclusive':>14}{'budget':>9}")
    for number, (name, noise) in enumerate(NOISES.items()):
        for change_number, (change, apply) in enumerate(changes.items()):
            rng = np.random.default_rng([seed, 100 + number, change_number])
            verdicts, spent = Counter[str](), []
            for _ in range(runs):
                c, r = noise(rng)
                verdict, budget = check(*apply(c, r, rng))
                verdicts[verdict] += 1
                spent.append(budget)
            promoted, rejected = share(verdicts["promote"], runs), share(verdicts["reject"], runs)
            undecided = 100 * verdicts["inconclusive"] / runs
            line = f"{name:30}{change:20}{promoted:>16}{rejected:>16}{undecided:>14.1f}"
            print(f"{line}{np.median(spent):>9.0%}", flush=True)


def share(count: int, runs: int) -> str:
    return f"{100 * count / runs:.1f} (<={100 * clopper_pearson_upper(count, runs, 0.05):.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=400, help="of the first table, for each line")
    parser.add_argument("--checks", type=int, default=100, help="runs of the second table, for each line")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    started = time.monotonic()
    print(as_declared())
    table_at_margin(asked.runs, asked.seed)
    if asked.checks:
        table_of_changes(asked.checks, asked.seed)
    print(f"\nseed {asked.seed}, {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
