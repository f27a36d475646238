"""The reports of tests/unit/reports/samples.py, as files of a folder."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli.app import main
from harness.reports.json import JsonRenderer

# importlib import mode puts no test folder on the path.
_samples = Path(__file__).parents[1] / "reports" / "samples.py"
_spec = importlib.util.spec_from_file_location("report_samples", _samples)
if "report_samples" not in sys.modules:
    sys.modules["report_samples"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["report_samples"])


@pytest.fixture
def store(tmp_path):
    """Writes a report into a folder as a run does, under its run id; gives the path."""

    def store(report, name=None):
        path = tmp_path / f"{name or report.run_id}.json"
        path.write_text(JsonRenderer().render(report), encoding="utf-8")
        return path

    return store


@pytest.fixture
def run_main(capsys, monkeypatch):
    """Runs the command line in this process."""

    def run(*arguments):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["harness", *map(str, arguments)])
            with pytest.raises(SystemExit) as caught:
                main()
        written = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, caught.value.code or 0, written.out, written.err)

    return run
