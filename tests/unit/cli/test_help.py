"""Every command's --help has an example that the command takes, and says what each option is."""

import re
import shlex

import pytest
from typer.main import get_command

from harness.cli.app import app
from harness.model import Family
from harness.selection import selectable

EXAMPLE = re.compile(r"^ *Example: harness (.*?)(?=\n *\n|\Z)", re.MULTILINE | re.DOTALL)
REDIRECTED = re.compile(r" [>|].*$")


def leaves(command, path=()):
    """All commands that do something, by their words."""
    commands = getattr(command, "commands", {})
    for name, inner in commands.items():
        yield from leaves(inner, (*path, name))
    if not commands:
        yield " ".join(path), command


COMMANDS = dict(leaves(get_command(app)))


@pytest.fixture(params=COMMANDS.items(), ids=list(COMMANDS))
def command(request):
    return request.param


def test_its_help_has_examples_that_it_takes(command):
    path, taking = command
    examples = EXAMPLE.findall(taking.help)
    assert examples
    for example in examples:
        words = shlex.split(REDIRECTED.sub("", " ".join(example.split())))
        assert " ".join(words[: len(path.split())]) == path
        taking.make_context(path, words[len(path.split()) :])


def test_every_option_is_explained(command):
    _, taking = command
    assert [each.name for each in taking.params if each.name != "help" and not each.help] == []


def test_only_completes_families_and_checks():
    assert selectable("lat")[:2] == ["latency", "latency.paired"]
    assert selectable("golden.s") == ["golden.single"]
    assert set(Family) <= set(selectable(""))
    assert selectable("nothing") == []
