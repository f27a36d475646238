"""How much of its tolerance each output of the golden cases uses."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from markupsafe import Markup

from harness.checks.golden.evidence import GoldenEvidence
from harness.checks.golden.judge import compare_case
from harness.checks.golden.limits import GoldenLimits
from harness.reports.figures import scale, svg
from harness.reports.figures.interface import Figure
from harness.reports.figures.legend import legend

MOST_CASES = 50_000
MOST_ROWS = 24
LEAST, MOST = 1e-4, 10.0
BINS = 40

_LEFT, _EQUAL, _START, _END, _OFF = 214.0, 246.0, 276.0, 628.0, 652.0
_TOP, _ROW, _BAR, _BELOW = 60.0, 40.0, 24.0, 50.0
_CASES_END, _WORST_END = 730.0, 812.0


@dataclass(frozen=True, kw_only=True)
class OutputErrors:
    """One output of the answered cases of one check.

    Attributes:
        name: Of the output.
        counts: Cases by share of the tolerance, shape (40,): by its logarithm, from 0.0001 and less to 10 and
            more.
        equal: Cases without any error.
        off: Cases that no tolerance mends.
        worst: The largest share of the tolerance, infinite where no tolerance mends it.
        cases: That were compared, of ``of``.
        unanswered: Cases without a usable answer.
    """

    check_id: str
    name: str
    tolerance: str
    counts: tuple[int, ...]
    equal: int
    off: int
    beyond: int
    worst: float
    cases: int
    unanswered: int
    of: int


def errors_of(check_id: str, evidence: GoldenEvidence, limits: GoldenLimits) -> tuple[OutputErrors, ...]:
    """Each declared output, as it is judged; of very many cases the first 50,000.

    Args:
        check_id: Of the check.
        evidence: What it saw.
        limits: Of this run, see :meth:`GoldenEvidence.limits`.
    """
    used: dict[str, list[float]] = {name: [] for name in evidence.outputs}
    unanswered = 0
    for case in islice(evidence.cases, MOST_CASES):
        if case.problem:
            unanswered += 1
        else:
            for name, shares in used.items():
                shares.append(compare_case(case, name, evidence, limits).tolerance_used)
    return tuple(
        _counted(check_id, name, str(limits.tolerance(name)), shares, (unanswered, len(evidence.cases)))
        for name, shares in used.items()
    )


def _counted(
    check_id: str, name: str, tolerance: str, shares: Sequence[float], cases: tuple[int, int]
) -> OutputErrors:
    unanswered, of = cases
    counts = [0] * BINS
    some = [share for share in shares if 0 < share < math.inf]
    for share in some:
        counts[_bin(share)] += 1
    return OutputErrors(
        check_id=check_id,
        name=name,
        tolerance=tolerance,
        counts=tuple(counts),
        equal=sum(share == 0 for share in shares),
        off=sum(math.isinf(share) for share in shares),
        beyond=sum(1 < share < math.inf for share in shares),
        worst=max(shares, default=0.0),
        cases=len(shares),
        unanswered=unanswered,
        of=of,
    )


def _bin(share: float) -> int:
    """So that 1 divides two bins: what is above it is never drawn below it."""
    within = math.log10(min(max(share, LEAST), MOST) / LEAST) / math.log10(MOST / LEAST)
    at = min(int(within * BINS), BINS - 1)
    limit = round(BINS * math.log10(1.0 / LEAST) / math.log10(MOST / LEAST))
    return max(at, limit) if share > 1 else min(at, limit - 1)


def golden_errors(outputs: Sequence[OutputErrors]) -> Figure:
    """Draw all outputs of all golden checks, the worst 24 of more.

    Args:
        outputs: At least one.
    """
    # The order of the report, unless there are too many: then the worst stay, unanswered ones before all.
    kept = set(sorted(range(len(outputs)), key=lambda number: _merit(outputs[number]))[:MOST_ROWS])
    rows = [each for number, each in enumerate(outputs) if number in kept]
    left = len(outputs) - len(rows)
    partly = [each for each in rows if each.of > MOST_CASES]
    notes = [
        *([f"{left} more outputs are no worse and are not drawn."] if left else []),
        *([f"Of more than {MOST_CASES} cases the first {MOST_CASES} are drawn."] if partly else []),
    ]
    return Figure(
        checks=tuple(dict.fromkeys(each.check_id for each in outputs)),
        title="Error of each golden output against its tolerance",
        description=_description(rows),
        svg=svg.joined(_drawn(rows)),
        height=_TOP + _ROW * len(rows) + _BELOW,
        columns=(
            "Check",
            "Output",
            "Tolerance",
            "Cases",
            "No usable answer",
            "Equal",
            "Beyond",
            "Off",
            "Worst, of tolerance",
        ),
        rows=tuple(
            (
                each.check_id,
                svg.short(each.name, 200),
                each.tolerance,
                f"{each.cases} of {each.of}",
                str(each.unanswered),
                str(each.equal),
                str(each.beyond),
                str(each.off),
                _worst(each),
            )
            for each in rows
        ),
        note=" ".join(notes),
    )


def _drawn(rows: Sequence[OutputErrors]) -> list[Markup]:
    x = scale.logarithmic(LEAST, MOST, _START, _END)
    bottom = _TOP + _ROW * len(rows)
    drawn = legend([("area-candidate", "cases"), ("tick-limit", "the tolerance")], _EQUAL - 14)
    drawn += [
        svg.rect((x(1.0), _TOP - 6), _END - x(1.0), bottom - _TOP + 6, "area-beyond"),
        svg.rect((_OFF - 12, _TOP - 6), 24, bottom - _TOP + 6, "area-beyond"),
        svg.text((_EQUAL, _TOP - 14), "equal", "mid"),
        svg.text((_OFF, _TOP - 14), "off", "mid"),
        svg.text((_CASES_END, _TOP - 14), "cases", "end"),
        svg.text((_WORST_END, _TOP - 14), "worst", "end"),
    ]
    for tick in scale.log_ticks(x):
        drawn += [
            svg.line((x(tick), _TOP - 6), (x(tick), bottom), "grid"),
            svg.text((x(tick), bottom + 18), f"{tick:g}", "mid"),
        ]
    for number, each in enumerate(rows):
        drawn += _row(each, _TOP + _ROW * (number + 1) - 8, x)
    drawn += [
        svg.line((x(1.0), _TOP - 8), (x(1.0), bottom), "tick-limit"),
        svg.text((_END, bottom + 38), "error as a share of the tolerance (logarithmic)", "end"),
    ]
    return drawn


def _row(each: OutputErrors, base: float, x: scale.Scale) -> list[Markup]:
    """One output. Bars grow by the root of the count, so that a single case is still seen."""
    high = math.sqrt(max(*each.counts, each.equal, each.off, 1))
    width = (_END - _START) / BINS
    drawn = [
        svg.line((_EQUAL - 14, base), (_OFF + 12, base), "grid"),
        svg.text((_LEFT, base - 12), svg.short(each.name, 26), "end strong"),
        svg.text((_LEFT, base + 2), each.check_id, "end small"),
        svg.text((_CASES_END, base - 5), str(each.cases), "end"),
        svg.text((_WORST_END, base - 5), _worst(each), "end strong"),
    ]
    if each.unanswered:
        drawn.append(svg.text((_WORST_END, base + 9), f"{each.unanswered} no usable answer", "end small"))
    bars = [(_EQUAL - 10, 20.0, each.equal, "bar"), (_OFF - 8, 16.0, each.off, "bar over")]
    for number, count in enumerate(each.counts):
        at = _START + number * width
        beyond = at + width / 2 > x(1.0)
        bars.append((at + 0.75, width - 1.5, count, "bar over" if beyond else "bar"))
    for at, wide, count, kind in bars:
        if count:
            tall = max(2.0, _BAR * math.sqrt(count) / high)
            drawn.append(svg.rect((at, base - tall), wide, tall, kind))
    if LEAST <= each.worst < math.inf:
        drawn.append(svg.dot((x(each.worst), base), 3.5, "candidate-dot"))
    return drawn


def _merit(each: OutputErrors) -> tuple[bool, float]:
    return not each.unanswered, -each.worst


def _worst(each: OutputErrors) -> str:
    if not each.cases:
        return "no answer"
    if math.isinf(each.worst):
        return f"{each.off} off"
    return "equal" if each.worst == 0 else f"{each.worst:.3g}"


def _description(rows: Sequence[OutputErrors]) -> str:
    broken = sum(each.beyond + each.off > 0 for each in rows)
    told = "; ".join(f"{each.check_id} {svg.short(each.name, 40)} {_worst(each)}" for each in rows[:8])
    lost = {each.check_id: each.unanswered for each in rows if each.unanswered}
    silent = f" {sum(lost.values())} cases had no usable answer and have no error." if lost else ""
    return (
        f"Cases by how much of the tolerance their error uses, for {len(rows)} outputs; {broken} of them "
        f"have cases beyond it. Largest share: {told}.{silent}"
    )
