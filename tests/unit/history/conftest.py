"""Reports as files of a folder, and the command line over them."""

import subprocess
import sys

import pytest

from harness.cli.app import main
from harness.reports.json import JsonRenderer


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
