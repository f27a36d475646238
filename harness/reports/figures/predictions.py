"""How often each service predicts what: the shares of the bins that drift is measured by."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from harness.checks.drift.binning import binned
from harness.checks.drift.evidence import DriftEvidence
from harness.model import Finding
from harness.reports.figures import scale, svg
from harness.reports.figures.interface import Figure
from harness.reports.figures.legend import legend
from harness.reports.text import quantity

HEIGHT = 262.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 812.0, 34.0, 200.0
_MOST_LABELS = 12
_CHARACTER = 6.1
_MEASURES = {
    "disagreement": "predicted otherwise",
    "psi": "population stability index",
    "jensen_shannon": "Jensen-Shannon divergence, bits",
}


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """One prediction.

    Attributes:
        labels: What each bin holds, untrusted; ``reference`` and ``candidate`` are the shares in it.
        requests: That both predicted.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    reference: tuple[float, ...]
    candidate: tuple[float, ...]
    requests: int


def predictions_of(evidence: DriftEvidence) -> tuple[Predictions, ...]:
    """Each declared prediction, in the bins that it is judged by.

    Raises:
        ValueError: no request was predicted by both.
    """
    both = [each for each in evidence.requests if not each.reference.problem and not each.candidate.problem]
    if not both:
        raise ValueError("no request was predicted by both services")
    drawn = []
    for name, prediction in evidence.predictions.items():
        parts = binned(both, name, prediction)
        before, after = (
            np.bincount(side, minlength=len(parts.labels)) / len(both)
            for side in (parts.reference, parts.candidate)
        )
        drawn.append(
            Predictions(
                name=name,
                kind=prediction.kind,
                labels=parts.labels,
                reference=tuple(map(float, before)),
                candidate=tuple(map(float, after)),
                requests=len(both),
            )
        )
    return tuple(drawn)


def predictions(drawn: Predictions, check_id: str, findings: Sequence[Finding]) -> Figure:
    """Draw one, with what was judged of it.

    Args:
        drawn: The prediction.
        check_id: Of the check that it is of.
        findings: Of that check.
    """
    return Figure(
        checks=(check_id,),
        title=f"Predictions of {svg.short(drawn.name, 40)}, {check_id}",
        description=_description(drawn),
        svg=svg.joined(_drawn(drawn)),
        height=HEIGHT,
        columns=("Predicted", "Reference", "Candidate", "Change"),
        rows=tuple(
            (svg.short(label, 200), f"{before:.2%}", f"{after:.2%}", f"{after - before:+.2%}")
            for label, before, after in zip(drawn.labels, drawn.reference, drawn.candidate, strict=True)
        ),
        note=_judged(drawn, check_id, findings),
    )


def _drawn(drawn: Predictions) -> list[Markup]:
    y = scale.linear(0.0, max(*drawn.reference, *drawn.candidate) * 1.05, _BOTTOM, _TOP)
    bins = len(drawn.labels)
    width = (_RIGHT - _LEFT) / bins
    bar = min(width * 0.38, 40.0)
    marks = legend([("area-reference", "reference"), ("area-candidate", "candidate")], _LEFT)
    for tick in scale.linear_ticks(y)[::2]:
        marks += [
            svg.line((_LEFT, y(tick)), (_RIGHT, y(tick)), "grid"),
            svg.text((_LEFT - 8, y(tick) + 4), f"{tick * 100:.3g} %", "end"),
        ]
    every = -(-bins // _MOST_LABELS)
    for number, label in enumerate(drawn.labels):
        middle = _LEFT + (number + 0.5) * width
        before, after = y(drawn.reference[number]), y(drawn.candidate[number])
        marks += [
            svg.rect((middle - bar, before), bar, _BOTTOM - before, "area-reference"),
            svg.rect((middle, after), bar, _BOTTOM - after, "area-candidate"),
        ]
        if number % every == 0:
            most = max(4, int(width * every / _CHARACTER))
            marks += _label(label, drawn.kind, most, middle)
    what = (
        "most frequent first" if drawn.kind == "category" else "bins that divide the reference's predictions"
    )
    marks.append(svg.text((_RIGHT, _BOTTOM + 54), f"predicted, {what}", "end"))
    return marks


def _label(label: str, kind: str, most: int, middle: float) -> list[Markup]:
    """Below its bin; a range in two lines where that is narrow."""
    lines = [label]
    if kind == "number" and len(label) > most:
        first, _, last = label.partition(" ")
        lines = [first, last]
    return [
        svg.text((middle, _BOTTOM + 18 + 14 * number), svg.short(line, most), "mid small")
        for number, line in enumerate(lines)
    ]


def _description(drawn: Predictions) -> str:
    changes = [after - before for before, after in zip(drawn.reference, drawn.candidate, strict=True)]
    largest = max(range(len(changes)), key=lambda number: abs(changes[number]))
    return (
        f"Share of {drawn.requests} requests in each of {len(changes)} bins, of reference and candidate. The "
        f"largest change is {changes[largest]:+.2%}, of {svg.short(drawn.labels[largest], 60)}."
    )


def _judged(drawn: Predictions, check_id: str, findings: Sequence[Finding]) -> str:
    told = [
        f"{_MEASURES[measure]} {quantity(finding.observed)} of {quantity(finding.limit)} allowed"
        for measure in _MEASURES
        for finding in findings
        if finding.id == f"{check_id}.{drawn.name}.{measure}"
    ]
    return f"Judged: {'; '.join(told)}." if told else ""
