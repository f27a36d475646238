"""Several gates at once in one folder of reports, of which one is killed: each verdict is its own."""

import json
import signal
import time
from collections import Counter

import pytest
from figures import told
from stored_runs import hidden, remains, verdicts

from harness.errors import ExitCode

pytestmark = [pytest.mark.alone, pytest.mark.slow]

PAIR = [ExitCode.PROMOTE, ExitCode.REJECT]


@pytest.mark.parametrize("ends", [PAIR, PAIR * 2], ids=len)
def test_gates_that_share_a_folder(process_gate, tmp_path, record_property, ends):
    out, temporary = tmp_path / "reports", tmp_path / "shared"
    started_s = time.monotonic()
    running = [process_gate(end, out=out, temporary=temporary) for end in ends]
    killed = process_gate(ExitCode.REJECT, out=out, temporary=temporary)
    killed.wait_for(lambda: len(killed.descendants()) > 0 and len(hidden(out)) > 1)
    assert killed.end(signal.SIGKILL) == -signal.SIGKILL
    late = process_gate(out=out, temporary=temporary)  # clears after the killed one, and after no other
    codes = [gate.process.wait(180) for gate in (*running, late)]
    took_s = time.monotonic() - started_s
    assert codes == [*ends, ExitCode.PROMOTE], [gate.stderr for gate in (*running, late)]

    stored = Counter(verdicts(out))
    assert stored == {"promote": len(ends) // 2 + 1, "reject": len(ends) // 2}
    reports = [json.loads(path.read_text()) for path in out.glob("*.json")]
    assert len({report["run_id"] for report in reports}) == len(reports)
    assert json.loads((out / "latest").read_text())["run_id"] in {report["run_id"] for report in reports}
    last = process_gate(out=out, temporary=temporary)
    assert last.process.wait(120) == ExitCode.PROMOTE, last.stderr
    assert hidden(out) == remains(temporary) == []
    fault = "gates at once in one folder, of which one is killed"
    record_property("figures", told(fault, {**stored, "killed": 1}, tried=len(ends) + 2, seconds=took_s))
