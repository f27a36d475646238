"""Shell completion: the words that the shells are given, and bash itself with the script it sources."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HARNESS = Path(sys.executable).with_name("harness")
LINES = {
    "harness run --only go": {"golden", "golden.single"},
    "harness report x --format ": {"html", "junit", "markdown"},
    "harness golden ": {"record", "verify", "bless"},
}


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_words_for(shell):
    line, words = next(iter(LINES.items()))
    asked = {"_HARNESS_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": line}
    asked["_TYPER_COMPLETE_FISH_ACTION"] = "get-args"
    told = subprocess.run([HARNESS], env={**os.environ, **asked}, capture_output=True, text=True, check=True)
    for word in words:
        assert word in told.stdout


@pytest.mark.slow  # a process for each line
@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_bash_completes():
    script = ['eval "$(_HARNESS_COMPLETE=source_bash harness)"', "complete -p harness"]
    for line in LINES:
        words = line.split(" ")
        listed = " ".join(f"'{word}'" for word in words)
        script += [
            f"COMP_WORDS=({listed}); COMP_CWORD={len(words) - 1}; COMPREPLY=()",
            "_harness_completion harness",
            'echo "${COMPREPLY[*]}"',
        ]
    path = f"{HARNESS.parent}{os.pathsep}{os.environ['PATH']}"
    told = subprocess.run(
        ["bash", "--norc", "-c", "\n".join(script)],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    registered, *replies = told.stdout.splitlines()
    assert "_harness_completion" in registered
    for reply, words in zip(replies, LINES.values(), strict=True):
        assert words <= set(reply.split()), told.stderr
