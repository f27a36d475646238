"""Draws the distribution of the response times of both sides, and the limits its quantiles are held against.

Shares are drawn by how few requests are slower (1, 0.1, 0.01 ...): the tail, where limits lie, has room.
"""

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from harness.reports.figures import scale, svg
from harness.reports.figures.interface import Figure
from harness.reports.figures.legend import legend
from harness.reports.figures.response_times import Curve, Quantile, ResponseTimes
from harness.reports.text import quantity

GRID = {0.0: "0 %", 0.9: "90 %", 0.99: "99 %", 0.999: "99.9 %", 0.9999: "99.99 %", 0.99999: "99.999 %"}

HEIGHT = 366.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 592.0, 40.0, 316.0
_TOLD = 612.0
_LEAST_APART = 32.0
_GRID_APART = 14.0

Interval = tuple[float, float]


def percentiles(times: ResponseTimes, check_id: str, intervals: Mapping[str, Interval]) -> Figure:
    """Draw them.

    Args:
        times: Of one check.
        check_id: Its id.
        intervals: Bounds of the candidate's quantiles in ms, as they were judged, by the quantile's name.
    """
    return Figure(
        checks=(check_id,),
        title=f"Response times, {check_id}",
        description=_description(times),
        svg=svg.joined(_drawn(times, intervals)),
        height=HEIGHT,
        columns=_columns(times),
        rows=tuple(_row(each, times, intervals) for each in times.quantiles),
        note=_note(times),
    )


def _drawn(times: ResponseTimes, intervals: Mapping[str, Interval]) -> list[Markup]:
    curves = [each for each in (times.reference, times.candidate) if each is not None]
    x = scale.logarithmic(*_range_ms(times), _LEFT, _RIGHT)
    y = scale.tail(max(each.requests for each in curves), _BOTTOM, _TOP)
    drawn = [*_legend(times), *_grid(x, y, times.quantiles)]
    if times.reference is not None:
        drawn.append(svg.path([_steps(times.reference, x, y)], "reference"))
    drawn.append(svg.path([_steps(times.candidate, x, y)], "candidate"))
    told_at = math.inf
    for each in times.quantiles:
        drawn += _marks(each, x, y(each.probability), intervals.get(each.name))
        if told_at - y(each.probability) >= _LEAST_APART:
            told_at = y(each.probability)
            drawn += _told(each, told_at)
    return drawn


def _range_ms(times: ResponseTimes) -> Interval:
    curves = [each for each in (times.reference, times.candidate) if each is not None]
    values = [point[0] for each in curves for point in each.points]
    values += [
        limit for each in times.quantiles for limit in (each.slo_ms, each.most_ms, each.apart_ms) if limit
    ]
    values = [value for value in values if 0 < value < math.inf] or [1.0, 10.0]
    return min(values), max(values)


def _steps(curve: Curve, x: scale.Scale, y: scale.Scale) -> list[svg.Point]:
    return [(x(time_ms), y(share)) for time_ms, share in curve.points]


def _legend(times: ResponseTimes) -> list[Markup]:
    entries = [] if times.reference is None else [("reference", "reference")]
    entries.append(("candidate", "candidate"))
    if times.reference is not None:
        entries.append(("area-margin", "reference + margin"))
    if any(each.slo_ms for each in times.quantiles):
        entries.append(("tick-limit", "SLO"))
    if any(each.apart_ms is not None for each in times.quantiles):
        entries.append(("absolute-dot", "all requests"))
    return legend(entries, _LEFT)


def _grid(x: scale.Scale, y: scale.Scale, quantiles: Sequence[Quantile]) -> list[Markup]:
    drawn = []
    for tick in scale.log_ticks(x):
        drawn += [
            svg.line((x(tick), _TOP), (x(tick), _BOTTOM), "grid"),
            svg.text((x(tick), _BOTTOM + 18), f"{tick:g}", "mid"),
        ]
    taken = [y(each.probability) for each in quantiles]
    for share, label in GRID.items():
        if share <= y.high:
            drawn.append(svg.line((_LEFT, y(share)), (_RIGHT, y(share)), "grid"))
            if all(abs(y(share) - other) > _GRID_APART for other in taken):
                drawn.append(svg.text((_LEFT - 8, y(share) + 4), label, "end"))
    drawn.append(svg.text((_RIGHT, _BOTTOM + 38), "response time, ms (logarithmic)", "end"))
    drawn.append(svg.text((_LEFT, _BOTTOM + 38), "share of requests, up to the slowest"))
    return drawn


def _marks(each: Quantile, x: scale.Scale, at: float, interval: Interval | None) -> list[Markup]:
    drawn = [
        svg.line((_LEFT, at), (_RIGHT, at), "rule"),
        svg.text((_LEFT - 8, at + 4), each.name, "end strong"),
    ]
    if each.reference_ms is not None and each.most_ms is not None:
        first, last = x(each.reference_ms), x(each.most_ms)
        drawn += [
            svg.rect((first, at - 7), last - first, 14, "area-margin"),
            svg.line((last, at - 7), (last, at + 7), "margin-end"),
        ]
    if interval is not None:
        drawn += _interval(interval, x, at)
    if each.reference_ms is not None:
        drawn.append(svg.dot((x(each.reference_ms), at), 4, "reference-dot"))
    if each.apart_ms is not None:
        drawn.append(_time(each.apart_ms, x, at, "absolute"))
    drawn.append(_time(each.candidate_ms, x, at, "candidate"))
    if each.slo_ms is not None:
        drawn.append(svg.line((x(each.slo_ms), at - 11), (x(each.slo_ms), at + 11), "tick-limit"))
    return drawn


def _interval(interval: Interval, x: scale.Scale, at: float) -> list[Markup]:
    """A bound beyond the axis, or none at all, is an open end: it must not look like a bound."""
    start, end = x(interval[0]), x(interval[1])
    drawn = [svg.line((start, at), (end, at), "interval")]
    if interval[0] < x.low:
        drawn.append(svg.path([[(start + 6, at - 5), (start, at), (start + 6, at + 5)]], "interval open"))
    if interval[1] > x.high:
        drawn.append(svg.path([[(end - 6, at - 5), (end, at), (end - 6, at + 5)]], "interval open"))
    return drawn


def _time(time_ms: float, x: scale.Scale, at: float, kind: str) -> Markup:
    end = x(time_ms)
    if math.isfinite(time_ms):
        return svg.dot((end, at), 4.5, f"{kind}-dot")
    # Beyond every time there is: it must not look like one.
    return svg.path([[(end + 4, at - 6), (end + 11, at), (end + 4, at + 6)]], f"{kind} endless")


def _told(each: Quantile, at: float) -> list[Markup]:
    """The figures beside a quantile: what was seen, and what of the limits it uses."""
    limits = []
    if each.reference_ms:
        ratio = _figure(each.candidate_ms / each.reference_ms)
        limits.append(f"{ratio} of {_figure(1.0 + each.margin)} times")
    if each.slo_ms is not None:
        limits.append(f"{_figure(each.absolute_ms)} of {each.slo_ms:g} ms")
    return [
        svg.text((_TOLD, at - 1), f"{each.name}  {_ms(each.candidate_ms)}", "strong"),
        svg.text((_TOLD, at + 14), ", ".join(limits), "small"),
    ]


def _columns(times: ResponseTimes) -> tuple[str, ...]:
    compared = ("Reference, ms", "Candidate, ms", "Ratio", "Allowed")
    told = compared if times.reference is not None else ()
    return ("Quantile", *told, "Candidate of all requests, ms", "Interval, ms", "SLO, ms")


def _row(each: Quantile, times: ResponseTimes, intervals: Mapping[str, Interval]) -> tuple[str, ...]:
    told: tuple[str, ...] = ()
    if times.reference is not None and each.reference_ms is not None:
        ratio = each.candidate_ms / each.reference_ms if 0 < each.reference_ms < math.inf else math.nan
        told = (
            _figure(each.reference_ms),
            _figure(each.candidate_ms),
            _figure(ratio),
            _figure(1.0 + each.margin),
        )
    interval = intervals.get(each.name)
    bounds = "none" if interval is None else f"{_figure(interval[0])} to {_figure(interval[1])}"
    slo = "none" if each.slo_ms is None else f"{each.slo_ms:g}"
    return (each.name, *told, _figure(each.absolute_ms), bounds, slo)


def _description(times: ResponseTimes) -> str:
    told = "; ".join(
        f"{each.name} {_ms(each.candidate_ms)}"
        + (f" against {_ms(each.reference_ms)}" if each.reference_ms is not None else "")
        for each in times.quantiles
    )
    against = " against the reference" if times.reference is not None else ""
    return (
        f"Share of requests answered within a time, of {times.candidate.requests} requests to the "
        f"candidate{against}: {told}."
    )


def _note(times: ResponseTimes) -> str:
    notes = []
    if times.candidate.failed:
        notes.append(
            f"{times.candidate.failed} of {times.candidate.requests} requests to the candidate failed: they "
            "count as endlessly slow, and the curve ends below them."
        )
    if times.left_out:
        notes.append(
            f"The first {times.left_out} blocks are left out of curves and ratios, since a side still warmed "
            "up; an SLO holds for them too."
        )
    if times.set_aside:
        notes.append(
            f"{times.set_aside:.1%} of the pairs are left out where high quantiles are compared, since "
            "both sides were slow there at once; curves and SLOs have them."
        )
    return " ".join(notes)


def _ms(value: float) -> str:
    return f"{_figure(value)} ms" if math.isfinite(value) else "no answer"


def _figure(value: float) -> str:
    """To three digits, enough to compare by eye; the findings have more."""
    return f"{value:#.3g}".rstrip(".") if math.isfinite(value) else quantity(value)
