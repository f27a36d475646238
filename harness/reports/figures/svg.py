"""Elements of a drawing. Every number is finite and every text escaped, or there is no element."""

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from harness.reports.text import single_line

WIDTH = 820.0
"""Of every drawing, in units of its view box; the page scales it."""

Point = tuple[float, float]


def number(value: float) -> str:
    """To a tenth of a unit.

    Raises:
        ValueError: it is not finite.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} has no place in a drawing")
    # 0.0 is added because a rounded -0.04 is -0.0.
    return f"{round(value, 1) + 0.0:g}"


def line(start: Point, end: Point, kind: str) -> Markup:
    """From one point to another."""
    (x1, y1), (x2, y2) = start, end
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(
        kind, number(x1), number(y1), number(x2), number(y2)
    )


def path(parts: Iterable[Sequence[Point]], kind: str) -> Markup:
    """Lines through the points of each part."""
    moves = ("M" + "L".join(f"{number(x)},{number(y)}" for x, y in part) for part in parts if part)
    return Markup('<path class="{}" d="{}"/>').format(kind, "".join(moves))


def rect(corner: Point, width: float, height: float, kind: str) -> Markup:
    """From its upper left corner; of no negative size."""
    x, y = corner
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
        kind, number(x), number(y), number(max(width, 0.0)), number(max(height, 0.0))
    )


def dot(centre: Point, radius: float, kind: str) -> Markup:
    """A circle."""
    x, y = centre
    return Markup('<circle class="{}" cx="{}" cy="{}" r="{}"/>').format(
        kind, number(x), number(y), number(radius)
    )


def text(at: Point, content: str, kind: str = "") -> Markup:
    """Untrusted text on one line; ``kind`` may hold ``end`` or ``mid``, where it stands to the point."""
    x, y = at
    return Markup('<text class="{}" x="{}" y="{}">{}</text>').format(
        kind, number(x), number(y), single_line(content)
    )


def short(content: str, most: int) -> str:
    """At most so many characters, as they will be shown."""
    shown = single_line(content[: most + 1])
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def joined(elements: Iterable[Markup]) -> Markup:
    """One after the other."""
    return Markup("\n").join(elements)
