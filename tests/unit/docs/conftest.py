"""The pages of the documentation, as their readers find them."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, the language after the fence, and its text."""

    page: str
    language: str
    text: str

    @property
    def first_line(self) -> str:
        return self.text.partition("\n")[0]


@dataclass(frozen=True)
class Page:
    """A Markdown file, its name relative to the root."""

    name: str
    text: str

    @property
    def path(self) -> Path:
        return ROOT / self.name

    @property
    def prose(self) -> str:
        return FENCE.sub("", self.text)

    def blocks(self, *languages: str) -> list[Block]:
        return [
            Block(self.name, language, text)
            for language, text in FENCE.findall(self.text)
            if language in languages
        ]

    def table_rows(self) -> list[list[str]]:
        """The cells of every table row, headings and rules included."""
        return [
            [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in self.prose.splitlines()
            if line.startswith("|")
        ]


def read_pages() -> dict[str, Page]:
    names = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
    return {name: Page(name, (ROOT / name).read_text(encoding="utf-8")) for name in names}


@pytest.fixture(scope="session")
def pages() -> dict[str, Page]:
    return read_pages()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test item for each page that a test asks for."""
    if "page" in metafunc.fixturenames:
        pages = read_pages()
        metafunc.parametrize("page", pages.values(), ids=list(pages))
