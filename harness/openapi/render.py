"""Changes as lines of text for a console."""

from collections import Counter
from collections.abc import Iterator, Sequence

from harness.openapi.model import Change, Severity


def render(changes: Sequence[Change]) -> list[str]:
    """One line for each change and a last one that counts them, without colour or line breaks."""
    return [*_lines(changes), summary(changes)]


def _lines(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        where = f"{change.operation}: " if change.operation else ""
        yield printable(
            f"{change.severity:<7} {change.rule}  {where}{change.message}  at {change.pointer or '/'}"
        )


def summary(changes: Sequence[Change]) -> str:
    """Such as `2 breaking, 0 warnings, 1 compatible`."""
    counts = Counter(change.severity for change in changes)
    return (
        f"{counts[Severity.ERROR]} breaking, {counts[Severity.WARNING]} warnings, "
        f"{counts[Severity.INFO]} compatible"
    )


def printable(text: str) -> str:
    """Escape control characters: what a candidate wrote must not steer the terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
