"""A gate of a local process: the service of a checkout that has no image."""

import json
import signal

import pytest
from local_processes import alive_after

from harness.errors import ExitCode


@pytest.fixture
def options(tmp_path):
    return ("--reference", "none", "--out", tmp_path / "reports")


def test_it_says_what_it_covers(run_harness, tiny_suite, options):
    result = run_harness("run", "--config", tiny_suite(), *options, "--json")
    assert result.returncode == ExitCode.PROMOTE, result.stderr
    assert "local process" in result.stderr
    report = json.loads(result.stdout)
    assert (report["scope"], report["candidate"]["kind"]) == ("process", "process")
    assert report["run_id"].split("-")[1] == "process"


def test_a_faulty_one_is_rejected(run_harness, tiny_suite, options):
    config = tiny_suite()
    server = config.parent / "server.py"
    server.write_text(server.read_text().replace('"FACTOR", "2"', '"FACTOR", "3"'))
    result = run_harness("run", "--config", config, *options)
    assert result.returncode == ExitCode.REJECT
    assert "golden.single.y" in result.stderr


def test_one_that_exits_is_rejected_with_its_message(run_harness, tiny_suite, options):
    config = tiny_suite(replace={'"server.py"]': '"server.py", "exit"]'})
    result = run_harness("run", "--config", config, *options)
    assert result.returncode == ExitCode.REJECT
    assert "no model file at /model.onnx" in result.stderr


def test_a_signal_ends_it_too(start_gate, tiny_suite):
    config = tiny_suite(replace={"[service.environment]": '[service.environment]\nSLOW_S = "0.5"'})
    gate = start_gate(config, None)
    gate.wait_for(lambda: list(gate.out.glob(".*.partial/evidence/golden.single")))
    service = gate.descendants()
    assert service
    assert gate.end(signal.SIGINT) == ExitCode.INTERRUPTED
    assert alive_after(service, 5) == set()
    assert list(gate.out.iterdir()) == []
    assert list(gate.temporary.iterdir()) == []
