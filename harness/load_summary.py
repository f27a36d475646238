"""What a load alone showed: figures of each side and kind of request, and whether they can be believed."""

import math
from typing import Any

from rich.table import Table

from harness.load import LoadPlan, Samples, measure_health
from harness.load.summary import PERCENTILES, Figures, by_name, summarise, throughput_per_s


def document(plan: LoadPlan, samples: Samples, *, most_lag_p99_ms: float, web_ui: bool) -> dict[str, Any]:
    """The result as JSON; a percentile that is a failure is None.

    Args:
        plan: What was sent.
        samples: What came of it.
        most_lag_p99_ms: A generator that sent later than this measured itself.
        web_ui: Whether a web UI took CPU time from the generator.
    """
    reference = 0 if len(plan.sides) > 1 else None
    health = measure_health(samples, steady_side=reference)
    sides = {}
    for number, side in enumerate(plan.sides):
        rows = samples.of_side(number)
        figures = summarise(samples.response_s[rows], samples.outcome[rows])
        sides[side.name] = {**_figures(figures), "throughput_per_s": throughput_per_s(samples, rows)}
    return {
        "seed": plan.seed,
        "arrival": plan.arrival.value,
        "rate_per_s": plan.rate_per_s,
        "duration_s": plan.block_s,
        "sides": sides,
        "requests": [
            {
                "method": method,
                "name": name,
                **_figures(summarise(samples.response_s[rows], samples.outcome[rows])),
            }
            for (method, name), rows in by_name(plan, samples.side, samples.payload)
        ],
        "validity": {
            "valid": health.lag_p99_ms <= most_lag_p99_ms,
            "generator_lag_p99_ms": health.lag_p99_ms,
            "max_generator_lag_p99_ms": most_lag_p99_ms,
            "generator_heartbeat_p99_ms": health.heartbeat_p99_ms,
            "generator_cpu_share": health.cpu_share,
            "overlap_share": health.overlap_share,
            "web_ui": web_ui,
        },
    }


def table(result: dict[str, Any]) -> Table:
    """The result for a terminal: a row for each side, and for each kind of request if there are several."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    titles = ("", "requests", "failed", *(f"{name} ms" for name in PERCENTILES), "max ms", "answers/s")
    for title in titles:
        shown.add_column(title, justify="left" if not title else "right", no_wrap=True)
    for name, side in result["sides"].items():
        shown.add_row(name, *_cells(side), f"{side['throughput_per_s']:.1f}")
    if len(result["requests"]) > len(result["sides"]):
        for each in result["requests"]:
            shown.add_row(f"{each['method']} {each['name']}", *_cells(each), "")
    return shown


def failures(result: dict[str, Any]) -> list[str]:
    """A line for each side that had failures."""
    return [
        f"{name}: "
        + ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in side["failures"].items())
        for name, side in result["sides"].items()
        if side["failures"]
    ]


def _figures(figures: Figures) -> dict[str, Any]:
    percentiles = {name: _finite(value) for name, value in figures.percentiles_ms.items()}
    return {
        "requests": figures.requests,
        "failures": figures.failures,
        "percentiles_ms": percentiles,
        "most_ms": _finite(figures.most_ms),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _cells(each: dict[str, Any]) -> list[str]:
    times = [*each["percentiles_ms"].values(), each["most_ms"]]
    counts = [str(each["requests"]), str(sum(each["failures"].values()))]
    return [*counts, *("failed" if value is None else f"{value:.3f}" for value in times)]
