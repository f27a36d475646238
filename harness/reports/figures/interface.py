"""What a plot is to the page that shows it."""

from dataclasses import dataclass

from markupsafe import Markup

_NOTHING = Markup()


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One plot, and the same as a table.

    Attributes:
        checks: The checks whose evidence it shows.
        title: What it is of.
        description: What is to be seen in it, for whoever does not see it.
        svg: The elements of the drawing, escaped; empty where ``problem`` says why there is none.
        height: Of the drawing, whose width is :data:`harness.reports.figures.svg.WIDTH`.
        columns: Heads of the table; untrusted text, like the cells.
        rows: Its rows, each as long as ``columns``.
        note: What has to be known to read it; empty for nothing.
        problem: Why nothing is drawn.
    """

    checks: tuple[str, ...]
    title: str
    description: str = ""
    svg: Markup = _NOTHING
    height: float = 0.0
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    note: str = ""
    problem: str = ""
