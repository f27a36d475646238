"""The part of docs/verdict-quality.md that is made from the results."""

from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "verdict-quality.md"
BEGIN = "<!-- verdict-quality: made by `python -m benchmarks.verdict_quality --report --page` -->\n"
END = "<!-- verdict-quality: end -->\n"


def page_with(page: str, text: str) -> str:
    """The page with `text` between the markers.

    Raises:
        ValueError: it lacks a marker.
    """
    before, begun, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (begun and ended):
        raise ValueError("the page has no place for the tables")
    return f"{before}{BEGIN}{text}{END}{after}"


def made_part(page: str) -> str:
    """What stands between the markers."""
    return page.partition(BEGIN)[2].partition(END)[0]
