"""Tables of untrusted text, for a terminal and for Markdown."""

from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from harness.reports.markdown import code, prose
from harness.reports.text import one_line

MOST_CELL = 200


@dataclass(frozen=True)
class TextTable:
    """A table as plain text; what is in it may be a candidate's words.

    Attributes:
        title: May be empty.
        columns: Names of the columns, ours.
        styles: Of rich, a row each; empty leaves all as they are.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    styles: tuple[str, ...] = ()

    def rich(self) -> Table:
        """For a terminal: no markup in it is obeyed, control characters are shown as escapes."""
        table = Table(
            title=Text(one_line(self.title, MOST_CELL)) if self.title else None,
            title_justify="left",
            title_style="bold",
            box=None,
            pad_edge=False,
            padding=(0, 2, 0, 0),
        )
        for column in self.columns:
            table.add_column(column, overflow="fold")
        for number, row in enumerate(self.rows):
            style = self.styles[number] if self.styles else None
            table.add_row(*(Text(one_line(cell, MOST_CELL)) for cell in row), style=style)
        return table

    def markdown(self) -> str:
        """GitHub-flavoured: no markup, link or mention comes of a cell; the first one of a row is code."""
        lines = [
            *([f"### {prose(self.title)}", ""] if self.title else []),
            f"| {' | '.join(self.columns)} |",
            "|" + ":--|" * len(self.columns),
        ]
        for first, *others in self.rows:
            cells = [code(first) if first else "", *(prose(cell) for cell in others)]
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join(lines)
