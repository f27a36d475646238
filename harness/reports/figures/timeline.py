"""Response times from the beginning of a load to its end, and what they are believed by."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.limits import LatencyLimits
from harness.load import Samples
from harness.load.samples import MS
from harness.reports.figures import scale, svg
from harness.reports.figures.interface import Figure
from harness.reports.figures.legend import legend
from harness.stats.quantiles import quantile

MOST_MOMENTS = 48
USUAL, SLOW, LATE = 0.5, 0.95, 0.99

HEIGHT = 350.0
_LEFT, _RIGHT = 62.0, 812.0
_TOP, _BOTTOM, _LATE_TOP, _LATE_BOTTOM = 34.0, 220.0, 256.0, 306.0
_FAILED_AT = 40.0


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One side in one moment, ms; infinite where so many failed, None without a request.

    Attributes:
        usual_ms: The median; ``slow_ms`` the 95th percentile.
    """

    usual_ms: float | None = None
    slow_ms: float | None = None
    failed: int = 0


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A stretch of the load.

    Attributes:
        start_s: Since the first intended send; ``end_s`` likewise.
        late_ms: By how much 99 % of its requests were sent late at most, None without a request.
    """

    start_s: float
    end_s: float
    candidate: Seen
    reference: Seen
    late_ms: float | None


@dataclass(frozen=True, kw_only=True)
class Course:
    """What is drawn of one load.

    Attributes:
        band_ms: Where the reference's median of the last third has to lie, by that of its first third.
        compared: Whether there is a reference.
        most_late_ms: What the generator is allowed.
    """

    moments: tuple[Moment, ...]
    compared: bool
    band_ms: tuple[float, float] | None
    drift: float
    most_late_ms: float


def course(evidence: LatencyEvidence, limits: LatencyLimits) -> Course:
    """Cut all that was sent into at most 48 moments of equal length.

    Raises:
        ValueError: nothing was sent.
    """
    samples = evidence.samples
    if not samples.side.size:
        raise ValueError("no request was sent")
    began_s = float(samples.intended_s.min())
    lasted_s = max(float(samples.intended_s.max()) - began_s, 1e-9)
    count = min(MOST_MOMENTS, evidence.blocks)
    of_moment = np.minimum(((samples.intended_s - began_s) * (count / lasted_s)).astype(np.intp), count - 1)
    return Course(
        moments=tuple(
            _moment(samples, np.flatnonzero(of_moment == number), evidence, lasted_s / count, number)
            for number in range(count)
        ),
        compared=evidence.reference is not None,
        band_ms=_band_ms(evidence, limits),
        drift=limits.max_reference_drift,
        most_late_ms=limits.max_generator_lag_p99_ms,
    )


def _moment(
    samples: Samples, rows: NDArray[np.intp], evidence: LatencyEvidence, length_s: float, number: int
) -> Moment:
    return Moment(
        start_s=number * length_s,
        end_s=(number + 1) * length_s,
        candidate=_seen(samples, rows[samples.side[rows] == evidence.candidate]),
        reference=Seen()
        if evidence.reference is None
        else _seen(samples, rows[samples.side[rows] == evidence.reference]),
        late_ms=MS * quantile(samples.lag_s[rows], LATE) if rows.size else None,
    )


def _seen(samples: Samples, rows: NDArray[np.intp]) -> Seen:
    if not rows.size:
        return Seen()
    times_ms = MS * samples.response_s[rows]
    return Seen(
        usual_ms=quantile(times_ms, USUAL),
        slow_ms=quantile(times_ms, SLOW),
        failed=int(np.count_nonzero(samples.failed[rows])),
    )


def _band_ms(evidence: LatencyEvidence, limits: LatencyLimits) -> tuple[float, float] | None:
    """As `harness.load.measure_health` takes the drift: the change of the median between the thirds."""
    if evidence.reference is None:
        return None
    times_ms = MS * evidence.samples.response_s[evidence.samples.of_side(evidence.reference)]
    first_ms = quantile(times_ms[: max(1, times_ms.size // 3)], USUAL)
    if not math.isfinite(first_ms):
        return None
    drift = limits.max_reference_drift
    return first_ms * max(0.0, 1.0 - drift), first_ms * (1.0 + drift)


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
