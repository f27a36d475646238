"""Every quoted command line of ours is one that the command line interface takes."""

import re
import shlex
from itertools import product

import pytest
from typer import BadParameter
from typer.main import get_command

from harness.cli.app import app

USAGE_ERROR = BadParameter.__base__  # typer does not export it by name
CODE = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
OPERATORS = frozenset({"|", "||", "&&", ";", ">", ">>", "2>", "&"})


def commands_in(shell):
    """The words after ``harness`` of each of its calls in a piece of shell."""
    text = re.sub(r"(?m)(^|\s)#.*$", "", shell.replace("\\\n", " "))
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|&;<>\n")
    lexer.commenters = ""
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    call = []
    for word in [*lexer, "\n"]:
        if word in OPERATORS or word.startswith("\n"):
            while call and re.fullmatch(r"\w+=.*", call[0]):
                call = call[1:]
            if call and call[0].rpartition("/")[2] == "harness":
                yield call[1:]
            elif call[1:3] == ["-m", "harness"]:
                yield call[3:]
            call = []
        else:
            call.append(word)


def variants(mention):
    r"""A mention such as ``harness judge RUN [--config FILE]`` or ``--format html\|junit``, spelt out."""
    flat = " ".join(mention.split())
    without, whole = re.sub(r" ?\[[^\]]*\]", "", flat), re.sub(r"[\[\]]", "", flat)
    for text in {without, whole}:
        words = [word.split(r"\|") for word in text.split()]
        yield from (" ".join(chosen) for chosen in product(*words))


def quoted(page):
    """Commands in the blocks and in the text of a page."""
    for block in page.blocks("sh", "bash", "console"):
        yield from commands_in(block.text)
    for mention in CODE.findall(page.prose):
        if re.match(r"(\.venv/bin/)?harness [a-z]", mention):
            for variant in variants(mention):
                yield from commands_in(variant)


def refusal(words):
    """Why it is not accepted, parsed and not run; one that is only mentioned by name need not be complete."""
    command, path = get_command(app), []
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words[0]]
        path.append(words[0])
        words = words[1:]
    if not path:
        return "no such command"
    try:
        if words:
            command.make_context(" ".join(path), list(words))
    except USAGE_ERROR as error:
        return error.format_message()
    return ""


def test_every_quoted_command_is_accepted(page):
    reasons = {shlex.join(["harness", *words]): refusal(words) for words in quoted(page)}
    assert {command: reason for command, reason in reasons.items() if reason} == {}


def test_commands_are_found(pages):
    found = {name: list(quoted(page)) for name, page in pages.items()}
    suite = ["--config", "my-suite/gate.toml", "--candidate", "my-service:2.1.0", "--reference", "none"]
    assert ["run", *suite] in found["docs/gate-your-own-image.md"]
    assert ["report", "reports/RUN.json", "--format", "junit"] in found["README.md"]
    assert ["contract", "diff", "OLD", "NEW", "--json"] in found["README.md"]


def test_commands_are_found_in_shell():
    shell = (
        "make gate  # it's one\nA=1 harness run \\\n  --json|python -m harness doctor; bin/harness judge x"
    )
    assert list(commands_in(shell)) == [["run", "--json"], ["doctor"], ["judge", "x"]]


@pytest.mark.parametrize(
    "line", ["harness rnu", "harness run --onyl golden", "harness schema gates", "harness judge x y"]
)
def test_a_wrong_command_is_refused(line):
    (words,) = commands_in(line)
    assert refusal(words)
