"""What a GitHub runner makes of the lines that a step prints: which are commands, and what they say."""

import re
from dataclasses import dataclass, field

COMMANDS = frozenset(
    {
        *("add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group"),
        *("internal-set-repo-path", "notice", "remove-matcher", "save-state", "set-env", "set-output"),
        *("stop-commands", "warning"),
    }
)
ANNOTATIONS = frozenset({"error", "warning", "notice"})


@dataclass(frozen=True)
class Command:
    """One command; its values are unescaped."""

    name: str
    data: str
    properties: dict[str, str] = field(default_factory=dict)


def unescaped(text, **codes):
    for code, char in (codes | {"%0D": "\r", "%0A": "\n"}).items():
        text = text.replace(code, char)
    return text.replace("%25", "%")


def command_of(line, known=COMMANDS):
    """The command in a line, ``::name key=value::data`` or ``##[name key=value;]data``; None in text."""
    new = re.match(r"::(.*?)::(.*)", line.lstrip(), re.DOTALL)
    old = re.search(r"##\[(.*?)\](.*)", line, re.DOTALL)
    for found, separator, codes in (
        (new, ",", {"%3A": ":", "%2C": ","}),
        (old, ";", {"%3B": ";", "%5D": "]"}),
    ):
        if not found:
            continue
        name, _, rest = found[1].partition(" ")
        if name.lower() in known:
            pairs = (pair.split("=", 1) for pair in rest.strip().split(separator) if "=" in pair)
            properties = {key: unescaped(value, **codes) for key, value in pairs}
            return Command(name.lower(), unescaped(found[2], **({} if found is new else codes)), properties)
    return None


def commands_in(output):
    """The commands that are obeyed, between those that stop and resume them; a line ends as .NET has it."""
    token = None
    for line in re.split(r"\r\n|\r|\n", output):
        if token is not None:
            resumed = command_of(line, {token.lower()})
            token = None if resumed else token
        elif command := command_of(line):
            yield command
            if command.name == "stop-commands":
                token = command.data


def annotations_in(output):
    return [command for command in commands_in(output) if command.name in ANNOTATIONS]
