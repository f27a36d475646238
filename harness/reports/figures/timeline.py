"""Draws the course of a load: response times above, how late the generator was below."""

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup

from harness.reports.figures import scale, svg
from harness.reports.figures.course import Course, Moment, Seen
from harness.reports.figures.interface import Figure
from harness.reports.figures.legend import legend

HEIGHT = 350.0
_LEFT, _RIGHT = 62.0, 812.0
_TOP, _BOTTOM, _LATE_TOP, _LATE_BOTTOM = 34.0, 220.0, 256.0, 306.0
_FAILED_AT = 40.0


def timeline(course: Course, check_id: str) -> Figure:
    """Draw it."""
    return Figure(
        checks=(check_id,),
        title=f"Latency over time, {check_id}",
        description=_description(course),
        svg=svg.joined(_drawn(course)),
        height=HEIGHT,
        columns=_columns(course),
        rows=tuple(_row(each, course) for each in course.moments),
        note=_note(course),
    )


def _drawn(course: Course) -> list[Markup]:
    end_s = course.moments[-1].end_s
    x = scale.linear(0.0, end_s, _LEFT, _RIGHT)
    y = scale.logarithmic(*_range_ms(course), _BOTTOM, _TOP + 14)
    drawn = legend(_entries(course), _LEFT)
    if course.band_ms is not None:
        low, high = y(course.band_ms[0]), y(course.band_ms[1])
        drawn.append(svg.rect((_LEFT, high), _RIGHT - _LEFT, low - high, "area-band"))
        drawn += [svg.line((_LEFT, at), (_RIGHT, at), "band-end") for at in (low, high)]
    for tick in scale.log_ticks(y):
        drawn += [
            svg.line((_LEFT, y(tick)), (_RIGHT, y(tick)), "grid"),
            svg.text((_LEFT - 8, y(tick) + 4), f"{tick:g}", "end"),
        ]
    drawn.append(svg.text((_LEFT - 8, _TOP), "ms", "end"))
    if course.compared:
        drawn += _lines(course, x, y, "reference", lambda each: each.reference)
    drawn += _lines(course, x, y, "candidate", lambda each: each.candidate)
    return [*drawn, *_lateness(course, x)]


def _entries(course: Course) -> list[tuple[str, str]]:
    entries = [("candidate", "candidate, median"), ("candidate slow", "p95")]
    if course.compared:
        entries += [("reference", "reference, median"), ("reference slow", "p95")]
    if course.band_ms is not None:
        entries.append(("area-band", f"validity: reference's median ± {course.drift:.0%}"))
    return entries


def _range_ms(course: Course) -> tuple[float, float]:
    values = [
        value
        for each in course.moments
        for seen in (each.candidate, each.reference)
        for value in (seen.usual_ms, seen.slow_ms)
        if value is not None
    ]
    values = [value for value in [*values, *(course.band_ms or ())] if 0 < value < math.inf] or [1.0, 10.0]
    return min(values) * 0.9, max(values)


def _lines(
    course: Course, x: scale.Scale, y: scale.Scale, kind: str, side: Callable[[Moment], Seen]
) -> list[Markup]:
    """Both lines of a side, broken where there is no such time, and a cross where requests failed."""
    seen = [(_middle(each, x), side(each)) for each in course.moments]
    drawn = [
        svg.path(_unbroken([(at, each.slow_ms) for at, each in seen], y), f"{kind} slow"),
        svg.path(_unbroken([(at, each.usual_ms) for at, each in seen], y), kind),
    ]
    crosses = [
        part
        for at, each in seen
        if each.failed
        for part in (
            [(at - 4, _FAILED_AT - 4), (at + 4, _FAILED_AT + 4)],
            [(at - 4, _FAILED_AT + 4), (at + 4, _FAILED_AT - 4)],
        )
    ]
    return [*drawn, svg.path(crosses, "failed")] if crosses else drawn


def _unbroken(points: Sequence[tuple[float, float | None]], y: scale.Scale) -> list[list[svg.Point]]:
    parts: list[list[svg.Point]] = [[]]
    for at, value in points:
        if value is None or not math.isfinite(value):
            parts.append([])
        else:
            parts[-1].append((at, y(value)))
    return parts


def _lateness(course: Course, x: scale.Scale) -> list[Markup]:
    """The lower drawing: how late the generator was, whose own delay would count as the service's."""
    late = [each.late_ms or 0.0 for each in course.moments]
    y = scale.linear(0.0, max(*late, course.most_late_ms) * 1.1, _LATE_BOTTOM, _LATE_TOP)
    drawn = [
        svg.text((_LEFT, _LATE_TOP - 8), "validity: how late the load generator sent, p99"),
        svg.line((_LEFT, _LATE_BOTTOM), (_RIGHT, _LATE_BOTTOM), "grid"),
        svg.text((_LEFT - 8, y(course.most_late_ms) + 4), f"{course.most_late_ms:g} ms", "end"),
    ]
    for each, late_ms in zip(course.moments, late, strict=True):
        width = x(each.end_s) - x(each.start_s)
        kind = "bar over" if late_ms > course.most_late_ms else "bar quiet"
        drawn.append(
            svg.rect(
                (x(each.start_s) + width * 0.12, y(late_ms)), width * 0.76, _LATE_BOTTOM - y(late_ms), kind
            )
        )
    drawn.append(svg.line((_LEFT, y(course.most_late_ms)), (_RIGHT, y(course.most_late_ms)), "line-limit"))
    drawn += [svg.text((x(tick), _LATE_BOTTOM + 18), f"{tick:g}", "mid") for tick in scale.linear_ticks(x)]
    drawn.append(svg.text((_RIGHT, _LATE_BOTTOM + 38), "seconds since the load began", "end"))
    return drawn


def _middle(moment: Moment, x: scale.Scale) -> float:
    return x((moment.start_s + moment.end_s) / 2.0)


def _columns(course: Course) -> tuple[str, ...]:
    theirs = ("Reference p50, ms", "p95, ms", "failed") if course.compared else ()
    return ("Seconds", "Candidate p50, ms", "p95, ms", "failed", *theirs, "Sent late, p99, ms")


def _row(moment: Moment, course: Course) -> tuple[str, ...]:
    sides = [moment.candidate, moment.reference] if course.compared else [moment.candidate]
    told = [cell for side in sides for cell in (_ms(side.usual_ms), _ms(side.slow_ms), str(side.failed))]
    return (f"{moment.start_s:.1f} to {moment.end_s:.1f}", *told, _ms(moment.late_ms))


def _ms(value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:#.3g}".rstrip(".") if math.isfinite(value) else "no answer"


def _description(course: Course) -> str:
    told = [f"Median and 95th percentile of the candidate in {len(course.moments)} stretches of the load"]
    if course.compared:
        told.append("beside those of the reference")
    late_ms = max(each.late_ms or 0.0 for each in course.moments)
    return (
        f"{', '.join(told)}. The generator was at most {late_ms:.3g} ms late (p99 of a stretch), "
        f"over the whole load {course.most_late_ms:g} ms are allowed."
    )


def _note(course: Course) -> str:
    failed = sum(each.candidate.failed + each.reference.failed for each in course.moments)
    return f"Crosses mark stretches with failed requests, {failed} in all." if failed else ""
