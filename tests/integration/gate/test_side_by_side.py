"""Two gates at once on one machine: ports, names and reports of their own."""

import json
import signal

import pytest

from harness.errors import ExitCode

pytestmark = pytest.mark.engine


@pytest.fixture
def out(tmp_path):
    """One folder of reports for both."""
    return tmp_path / "reports"


def test_two_gates_share_a_machine_and_a_folder_of_reports(
    start_gate, tiny_suite, tiny_variant, left_behind, out
):
    config = tiny_suite()
    good = start_gate(config, tiny_variant("ENV SLOW_S=0.3"), out=out)
    bad = start_gate(config, tiny_variant("ENV SLOW_S=0.3", "ENV FACTOR=3"), out=out)
    for gate in (good, bad):
        gate.wait_for(lambda gate=gate: len(left_behind(pid=gate.process.pid)) == 2)
    assert [gate.process.poll() for gate in (good, bad)] == [None, None]  # both have a target, and run
    assert good.process.wait(60) == ExitCode.PROMOTE
    assert bad.process.wait(60) == ExitCode.REJECT

    stored = [json.loads(path.read_text()) for path in sorted(out.glob("*.json"))]
    assert sorted(report["decision"] for report in stored) == ["promote", "reject"]
    assert len({report["run_id"] for report in stored}) == 2
    assert len({report["candidate"]["url"] for report in stored}) == 2
    assert json.loads((out / "latest").read_text())["run_id"] in {report["run_id"] for report in stored}
    for gate in (good, bad):
        assert left_behind(pid=gate.process.pid) == []


def test_a_starting_gate_leaves_a_living_one_alone(start_gate, tiny_suite, tiny_variant, left_behind, out):
    config = tiny_suite()
    living = start_gate(config, tiny_variant("ENV SLOW_S=2"), out=out)
    living.wait_for(lambda: list(out.glob(".*.partial/evidence/golden.single")))
    assert start_gate(config, tiny_variant(), out=out).process.wait(60) == ExitCode.PROMOTE
    assert living.process.poll() is None
    assert len(left_behind(pid=living.process.pid)) == 2
    assert living.end(signal.SIGINT) == ExitCode.INTERRUPTED
    assert len(list(out.glob("*.json"))) == 1
