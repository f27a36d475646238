"""The parts of docs/verdict-quality.md that are made from results, each between markers of its own."""

from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "verdict-quality.md"


@dataclass(frozen=True)
class Part:
    """A part of the page, and the command that makes it."""

    name: str
    command: str

    @property
    def begin(self) -> str:
        """The line before it."""
        return f"<!-- {self.name}: made by `{self.command}` -->\n"

    @property
    def end(self) -> str:
        """The line after it."""
        return f"<!-- {self.name}: end -->\n"

    def put(self, page: str, text: str) -> str:
        """The page with `text` as this part.

        Raises:
            ValueError: it lacks a marker.
        """
        before, begun, rest = page.partition(self.begin)
        _, ended, after = rest.partition(self.end)
        if not (begun and ended):
            raise ValueError(f"the page has no place for {self.name}")
        return f"{before}{self.begin}{text}{self.end}{after}"

    def of(self, page: str) -> str:
        """What it is now."""
        return page.partition(self.begin)[2].partition(self.end)[0]

    def publish(self, text: str, page: Path = PAGE) -> None:
        """Write it into docs/verdict-quality.md, or another page.

        Raises:
            ValueError: the page lacks a marker; it stays as it is.
        """
        page.write_text(self.put(page.read_text(encoding="utf-8"), text), encoding="utf-8")


VERDICTS = Part("verdict-quality", "python -m benchmarks.verdict_quality --report --page")
KILLS = Part("kill-matrix", "python -m benchmarks.kill_matrix")
