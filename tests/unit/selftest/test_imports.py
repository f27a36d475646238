"""The gate never learns that it is being tested: it knows what a report says of a selftest, and no more."""

import ast
from pathlib import Path

import harness

PACKAGE = Path(harness.__file__).parent
SELFTEST = "harness.selftest"


def imported(path):
    """The modules that a file imports, within functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "harness":
            yield from (f"harness.{each.name}" for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_nothing_but_its_command_and_what_reports_say_of_it_imports_the_selftest():
    found = {
        (path.relative_to(PACKAGE).as_posix(), module)
        for path in PACKAGE.rglob("*.py")
        for module in imported(path)
        if f"{module}.".startswith(f"{SELFTEST}.")
    }
    outside = {each for each in found if not each[0].startswith(("selftest/", "cli/"))}
    assert outside == {("gate.py", f"{SELFTEST}.standing"), ("rejudge.py", f"{SELFTEST}.standing")}
