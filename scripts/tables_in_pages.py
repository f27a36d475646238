"""A table between two markers of a page, made again by a script."""

from pathlib import Path

SEPARATOR = " | "


def markers(what: str, script: str) -> tuple[str, str]:
    """The lines before and after a table, of which the first names what makes it."""
    return f"<!-- {what}: made by `scripts/{script}` -->\n", f"<!-- {what}: end -->\n"


def table_in(page: str, place: tuple[str, str]) -> str:
    """What is between the markers.

    Raises:
        ValueError: the page lacks one.
    """
    return _parts(page, place)[1]


def page_with(page: str, place: tuple[str, str], text: str) -> str:
    """The page with ``text`` between its markers.

    Raises:
        ValueError: it lacks one.
    """
    before, _, after = _parts(page, place)
    return before + place[0] + text + place[1] + after


def rows(table: str) -> dict[str, str]:
    """The lines below the header, by their first cell."""
    lines = table.splitlines(keepends=True)[2:]
    return {line.removeprefix("| ").split(SEPARATOR, 1)[0]: line for line in lines}


def put(path: Path, place: tuple[str, str], text: str) -> None:
    """Write ``text`` between the markers of a page."""
    page = path.read_text(encoding="utf-8")
    path.write_text(page_with(page, place, text), encoding="utf-8")


def _parts(page: str, place: tuple[str, str]) -> tuple[str, str, str]:
    before, begun, rest = page.partition(place[0])
    inside, ended, after = rest.partition(place[1])
    if not (begun and ended):
        raise ValueError(f"there is no place for a table: {place[0].strip()}")
    return before, inside, after
