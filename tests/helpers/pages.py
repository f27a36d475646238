"""The pages of the documentation, their blocks, and the commands in them."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"(?m)(^|\s+)#\s.*$")
PROMPT = "$ "


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, the language after the fence, and its text."""

    page: str
    language: str
    text: str

    @property
    def first_line(self) -> str:
        return self.text.partition("\n")[0]

    def commands(self) -> list[str]:
        """The commands of a block of shell, each as it stands, with what its end or a quote continues."""
        lines = self.text.splitlines()
        if self.language == "console":
            lines = [line.removeprefix(PROMPT) for line in lines if line.startswith(PROMPT)]
        found, begun = [], ""
        for line in lines:
            begun += line
            if goes_on(begun):
                begun += "\n"
                continue
            if without_comments(begun):
                found.append(begun)
            begun = ""
        if begun:
            raise ValueError(f"{self.page}: a command has no end: {begun}")
        return found


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

    def commands(self) -> list[str]:
        """Every command of its blocks of shell."""
        return [command for block in self.blocks("sh", "console") for command in block.commands()]

    def table_rows(self) -> list[list[str]]:
        """The cells of every table row, headings and rules included."""
        return [
            [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in self.prose.splitlines()
            if line.startswith("|")
        ]


def read_page(name: str) -> Page:
    return Page(name, (ROOT / name).read_text(encoding="utf-8"))


def read_pages() -> dict[str, Page]:
    names = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
    return {name: read_page(name) for name in names}


def goes_on(begun: str) -> bool:
    """Whether the next line belongs to what was begun."""
    if begun.rstrip().endswith(("\\", "|", "&&")):
        return True
    try:
        shlex.split(begun, comments=True)
    except ValueError:  # an open quote
        return True
    return False


def without_comments(command: str) -> str:
    return COMMENT.sub("", command).strip()


def command(page: str, beginning: str) -> str:
    """The one command of a page that begins so, or is no more than that, as it stands there.

    Raises:
        LookupError: when the page has none, or several.
    """
    commands = list(dict.fromkeys(read_page(page).commands()))
    found = [each for each in commands if without_comments(each) == beginning] or [
        each for each in commands if each.startswith(beginning)
    ]
    if len(found) != 1:
        has = "\n  ".join(commands)
        raise LookupError(f"{page} has {len(found)} commands that begin with {beginning!r}; it has\n  {has}")
    return found[0]
