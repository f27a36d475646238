"""A signal while the commands are still being loaded ends with the exit code that is promised."""

import subprocess
import sys

import pytest

from harness.errors import ExitCode

SCRIPT = """
import os, signal, sys

class Hook:
    def find_spec(self, name, path=None, target=None):
        if name == "harness.cli.run":
            os.kill(os.getpid(), getattr(signal, sys.argv[1]))

sys.meta_path.insert(0, Hook())
from harness.__main__ import main
main()
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_during_the_imports(name):
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, name], check=False, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == ExitCode.INTERRUPTED, ended.stderr
    assert "Traceback" not in ended.stderr
