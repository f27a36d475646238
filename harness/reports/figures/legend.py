"""What lines and marks stand for, in one row above a drawing."""

from collections.abc import Sequence

from markupsafe import Markup

from harness.reports.figures import svg

_SAMPLE = 22.0
_GAP = 26.0
_CHARACTER = 6.6
Y = 14.0


def legend(entries: Sequence[tuple[str, str]], x: float) -> list[Markup]:
    """Draw each entry from ``x`` on.

    Args:
        entries: Kind of element and its name; ``area...`` are boxes, ``tick...`` upright lines,
            ``...-dot`` dots.
        x: Where the first begins.
    """
    drawn = []
    for kind, name in entries:
        if kind.startswith("area"):
            drawn.append(svg.rect((x, Y - 9), _SAMPLE, 9, kind))
        elif kind.startswith("tick"):
            drawn.append(svg.line((x + _SAMPLE / 2, Y - 11), (x + _SAMPLE / 2, Y + 2), kind))
        elif kind.endswith("-dot"):
            drawn.append(svg.dot((x + _SAMPLE / 2, Y - 4), 4.5, kind))
        else:
            drawn.append(svg.line((x, Y - 4), (x + _SAMPLE, Y - 4), kind))
        drawn.append(svg.text((x + _SAMPLE + 6, Y), name))
        x += _SAMPLE + 6 + _CHARACTER * len(name) + _GAP
    return drawn
