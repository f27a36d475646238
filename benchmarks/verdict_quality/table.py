"""The published tables, from the lines of the results alone."""

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from benchmarks.verdict_quality.gated import QUANTILES
from benchmarks.verdict_quality.plan import Accuracy, Aim, Kind, Plan, Scenario
from benchmarks.verdict_quality.results import Line
from benchmarks.verdict_quality.services import suite_of
from benchmarks.verdict_quality.stock import JUDGED, rejects
from harness.model import Decision
from harness.stats.proportions import clopper_pearson_lower, clopper_pearson_upper

ALPHA = 0.05
NOTHING = "-"
NOTHING_YET = "Nothing has been published yet.\n"
VERDICTS = """Runs, and in brackets the 95 % interval of their share; seconds of load until the verdict of
`latency.paired`. An aim is held against the share that was seen: what so many runs show is the interval.
"""
EFFECTS = """Candidate over reference: the mean over all runs of the harness (of the logarithm, each run
counting by its requests), and its standard error. All requests are counted, those in spells of the machine
too, which the gate sets aside: where the machine makes the tail, the effect on the others is larger.
"""
STOCK = """{users} `FastHttpUser` without pauses, {seconds} s on the reference, then {seconds} s on the
candidate, in a smaller number of runs among the others. It rejects when p95 or p99, as
Locust reports them, is more than the threshold higher, or any request of the candidate failed, and else
promotes. Locust rounds percentiles to whole milliseconds, which here are 1 to 4: a ratio moves in steps of a
quarter or more, and a spread of 0 is rounding.
"""
ACCURACY = """{requests} requests at {rate:g} a second in each run. An error of {share} or {ms:g} ms is
allowed, whichever is more. What the server kept is from its own clock, from the arrival of a request to its
answer: the rest is the generator's, and the network's.
"""


def tables(plan: Plan, lines: Sequence[Line], source: str) -> str:
    """All of them as Markdown."""
    if not any("at" in line for line in lines):
        return NOTHING_YET
    parts = [
        _about(lines, source),
        _verdicts(plan, lines),
        _why(plan, lines),
        _effects(plan, lines),
        _stock(plan, lines),
        _accuracy(plan.accuracy, lines),
        _errors(lines),
    ]
    return "\n".join(part for part in parts if part)


def bounds(count: int, runs: int) -> str:
    """A share with its exact 95 % interval (Clopper and Pearson 1934), in %."""
    if not runs:
        return NOTHING
    low, high = (
        clopper_pearson_lower(count, runs, ALPHA / 2),
        clopper_pearson_upper(count, runs, ALPHA / 2),
    )
    return f"{count} ({_percent(low)} to {_percent(high)})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def of(lines: Iterable[Line], kind: Kind, name: str) -> list[Line]:
    """The lines of one scenario or distribution."""
    return [line for line in lines if line["kind"] == kind.value and line["name"] == name]


def _about(lines: Sequence[Line], source: str) -> str:
    machine = next(line for line in lines if line["kind"] == "machine")
    runs = [line for line in lines if "at" in line]
    commits = ", ".join(sorted({line["commit"] for line in runs}))
    return (
        f"Made between {min(line['at'] for line in runs)} and {max(line['at'] for line in runs)} at commit "
        f"{commits}, on {machine['cores']} cores ({machine['cpu']}), kernel {machine['kernel']}, engine "
        f"{machine['engine']}; raw results: `benchmarks/verdict_quality/results/{source}`.\n"
    )


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _head(*cells: str) -> list[str]:
    return [_row(*cells), "|" + "---|" * len(cells)]


def _verdicts(plan: Plan, lines: Sequence[Line]) -> str:
    rows = [
        "### Verdicts\n",
        VERDICTS,
        *_head(
            "scenario",
            "budget",
            "runs",
            "promote",
            "reject",
            "inconclusive",
            "errors",
            "median",
            "90 %",
            "aim",
        ),
    ]
    for scenario in plan.scenarios:
        runs = of(lines, Kind.GATE, scenario.name)
        counts = Counter("error" if "error" in line else line["decision"] for line in runs)
        seconds = [line["load_s"] for line in runs if "load_s" in line]
        rows.append(
            _row(
                scenario.title,
                f"{scenario.budget_s:g} s",
                len(runs),
                *(bounds(counts[decision.value], len(runs)) for decision in Decision),
                counts["error"],
                f"{statistics.median(seconds):.1f} s" if seconds else NOTHING,
                f"{np.quantile(seconds, 0.9):.1f} s" if seconds else NOTHING,
                "; ".join(_aim(aim, counts, scenario.runs, seconds) for aim in scenario.aims),
            )
        )
    return "\n".join(rows) + "\n"


def _aim(aim: Aim, counts: Counter[str], planned: int, seconds: list[float]) -> str:
    parts, met, runs = [], True, counts.total()
    share = counts[aim.decision.value] / runs if runs else math.nan
    if aim.at_least is not None:
        parts.append(f"≥ {_whole(aim.at_least)}")
        met &= share >= aim.at_least
    if aim.at_most is not None:
        parts.append(_whole(aim.at_most))
        met &= share <= aim.at_most
    if aim.median_s is not None:
        parts.append(f"median under {aim.median_s:g} s")
        met &= bool(seconds) and statistics.median(seconds) < aim.median_s
    verdict = f"{runs} of {planned} so far" if runs < planned else "met" if met else "missed"
    return f"{aim.decision.value} {', '.join(parts)}: {verdict}"


def _whole(share: float) -> str:
    return f"{100 * share:g} %"


def _why(plan: Plan, lines: Sequence[Line]) -> str:
    """In how many runs each finding was a reason not to promote."""
    rows = [
        "What a run was rejected for, or what stayed undecided in one that was not, and in how many runs:\n"
    ]
    for scenario in plan.scenarios:
        for decision in (Decision.REJECT, Decision.INCONCLUSIVE):
            runs = [r for r in of(lines, Kind.GATE, scenario.name) if r.get("decision") == decision.value]
            reasons = Counter(reason for line in runs for reason in set(line["reasons"]) if reason)
            told = ", ".join(
                f"{reason} {count}" for reason, count in sorted(reasons.items(), key=_most_first)
            )
            if told:
                rows.append(f"- {scenario.title}, {decision.value}: {told}")
    return "\n".join(rows) + "\n" if len(rows) > 1 else ""


def _most_first(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def _effects(plan: Plan, lines: Sequence[Line]) -> str:
    rows = [
        "### What the client saw\n",
        EFFECTS,
        *_head("scenario", "p50", "p95", "p99", "CPU time per request", "requests of each side"),
    ]
    for scenario in plan.scenarios:
        runs = [line for line in of(lines, Kind.GATE, scenario.name) if "times_ms" in line]
        cells = [_pooled(_ratios(runs, name)) for name in QUANTILES]
        pairs = sum(line["pairs"] for line in runs)
        rows.append(_row(scenario.title, *cells, _pooled(_ratios(runs, "cpu")), pairs))
    return "\n".join(rows) + "\n"


def _ratios(runs: Sequence[Line], name: str) -> list[tuple[float, int]]:
    """Candidate over reference in each run, of a quantile or of the CPU time, and from how many pairs."""
    found = [(_of_sides(line, name), line.get("pairs", 1)) for line in runs]
    return [(sides["candidate"] / sides["reference"], pairs) for sides, pairs in found if all(sides.values())]


def _of_sides(line: Line, name: str) -> dict[str, float | None]:
    if name == "cpu":
        return dict(line["cpu_ms"])
    return {side: quantiles[name] for side, quantiles in line["times_ms"].items()}


def _pooled(ratios: Sequence[tuple[float, int]]) -> str:
    """The weighted geometric mean of ratios, and its standard error."""
    if len(ratios) < 2:  # noqa: PLR2004 - one has no spread
        return f"{ratios[0][0]:.3f}" if ratios else NOTHING
    logs = np.log([ratio for ratio, _ in ratios])
    weights = np.array([pairs for _, pairs in ratios], dtype=float)
    weights /= weights.sum()
    mean = float(weights @ logs)
    error = math.sqrt(float(np.square(weights) @ np.square(logs - mean)) * len(logs) / (len(logs) - 1))
    return f"{math.exp(mean):.3f} ± {math.exp(mean) * error:.3f}"


def _stock(plan: Plan, lines: Sequence[Line]) -> str:
    stock = plan.stock
    rows = [
        "### The same services under a stock Locust gate\n",
        STOCK.format(users=stock.users, seconds=stock.duration_s),
        *_head(
            "scenario",
            "runs",
            f"rejected at {_whole(stock.threshold)}",
            f"rejected at the margins of {' and '.join(JUDGED)}",
            "spread of log p95 ratio",
            "errors",
        ),
    ]
    for scenario in plan.scenarios:
        runs = of(lines, Kind.STOCK, scenario.name)
        done = [line for line in runs if "error" not in line]
        margins = margins_of(scenario)
        logs = [math.log(ratio) for ratio, _ in _ratios(done, "p95")]
        rows.append(
            _row(
                scenario.title,
                len(runs),
                bounds(
                    sum(rejects(line, dict.fromkeys(JUDGED, stock.threshold)) for line in done), len(runs)
                ),
                f"{', '.join(map(_whole, margins.values()))}: "
                f"{bounds(sum(rejects(line, margins) for line in done), len(runs))}",
                f"{statistics.stdev(logs):.3f}" if len(logs) > 1 else NOTHING,
                len(runs) - len(done),
            )
        )
    return "\n".join(rows) + "\n"


def margins_of(scenario: Scenario) -> dict[str, float]:
    """The margins of the suite, as the scenario changes it, of what the stock gate judges."""
    settings = suite_of(scenario).config.latency
    assert settings is not None
    return {name: settings.limits.by_name[name][1].margin for name in JUDGED}


def _accuracy(accuracy: Accuracy, lines: Sequence[Line]) -> str:
    rows = [
        "### Measured against known delays\n",
        ACCURACY.format(
            requests=accuracy.requests,
            rate=accuracy.rate_per_s,
            share=_whole(accuracy.tolerance_share),
            ms=accuracy.tolerance_ms,
        ),
        *_head(
            "delays",
            "runs",
            "quantile",
            "true",
            "kept by the server",
            "measured, mean",
            "largest error",
            "within",
        ),
    ]
    for delays in accuracy.delays:
        runs = of(lines, Kind.ACCURACY, delays.name)
        done = [line for line in runs if "error" not in line]
        for name in QUANTILES:
            pairs = [(line["true_ms"][name], line["measured_ms"][name]) for line in done]
            errors = [abs(measured - true) for true, measured in pairs]
            within = sum(
                error <= max(accuracy.tolerance_share * true, accuracy.tolerance_ms)
                for error, (true, _) in zip(errors, pairs, strict=True)
            )
            rows.append(
                _row(
                    delays.name,
                    len(runs),
                    name,
                    f"{pairs[0][0]:.3f} ms" if pairs else NOTHING,
                    _mean_ms(line["server_ms"][name] for line in done),
                    _mean_ms(measured for _, measured in pairs),
                    f"{max(errors):.3f} ms" if errors else NOTHING,
                    f"{within} of {len(runs)}",
                )
            )
    return "\n".join(rows) + "\n"


def _mean_ms(times_ms: Iterable[float]) -> str:
    times_ms = list(times_ms)
    return f"{statistics.fmean(times_ms):.3f} ms" if times_ms else NOTHING


def _errors(lines: Sequence[Line]) -> str:
    failed = [line for line in lines if "error" in line]
    if not failed:
        return "No run ended in an error.\n"
    rows = [
        f"- {line['at']} {line['kind']} {line['name']} {line['index']}: {line['error']}" for line in failed
    ]
    return "\n".join(["### Errors\n", *rows]) + "\n"
