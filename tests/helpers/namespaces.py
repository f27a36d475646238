"""Namespaces of the kernel, where this machine lets a test have them."""

import functools
import os
import shutil
import subprocess

import pytest


@functools.cache
def missing(*options):
    """Why ``unshare`` does not give what ``options`` ask for; empty where it does."""
    if shutil.which("unshare") is None:
        return "there is no unshare"
    if os.geteuid() != 0:
        return "only root has other namespaces here"
    tried = subprocess.run(
        ["unshare", *options, "--fork", "true"], check=False, capture_output=True, text=True
    )
    return tried.stderr.strip() if tried.returncode else ""


def unshared(*options):
    """The command that starts another with ``options``; the test is skipped where it cannot be."""
    if why := missing(*options):
        pytest.skip(f"unshare {' '.join(options)}: {why}")
    return ("unshare", *options, "--fork", "--kill-child")
