"""Programs of ``scripts/`` as modules, which find each other as they do when they are run."""

import importlib
import sys
from pathlib import Path
from unittest import mock

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def loaded(name):
    """The module of a script."""
    with mock.patch.object(sys, "path", [str(SCRIPTS), *sys.path]):
        return importlib.import_module(name)
