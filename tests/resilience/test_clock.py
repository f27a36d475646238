"""A wall clock that is set in the middle, and clocks that began elsewhere: no verdict depends on either."""

import json
import subprocess
import sys
import time
from datetime import datetime

import pytest
from figures import told
from namespaces import unshared
from set_clock import SetClock
from stored_runs import remains, verdicts

from harness.errors import ExitCode
from harness.owner import Owner

YEAR_S = 366 * 86_400
JUMPS_S = (-YEAR_S, -3600, 3600, YEAR_S)
ENDS = (ExitCode.PROMOTE, ExitCode.REJECT)
QUICK = (-YEAR_S, ExitCode.REJECT)
SET = [
    pytest.param(jump_s, end, marks=[] if (jump_s, end) == QUICK else [pytest.mark.slow])
    for jump_s in JUMPS_S
    for end in ENDS
]


@pytest.fixture
def clock(tmp_path):
    """Of the gates that are started with its ``environ``."""
    return SetClock(tmp_path)


def report_of(gate):
    (path,) = gate.out.glob("*.json")
    return json.loads(path.read_text())


def test_the_clock_of_this_test_is_really_set(clock):
    script = "import sys, time; print(time.time(), time.monotonic())"
    seen = []
    for shift_s in (0, YEAR_S):
        clock.set(shift_s)
        said = subprocess.run(
            [sys.executable, "-c", script], env=clock.environ, check=True, capture_output=True, text=True
        )
        seen.append([float(text) for text in said.stdout.split()])
    assert seen[1][0] - seen[0][0] > YEAR_S / 2
    assert seen[1][1] - seen[0][1] < YEAR_S / 2


@pytest.mark.parametrize(("jump_s", "end"), SET)
def test_the_clock_is_set_while_it_asks(process_gate, clock, jump_s, end, record_property):
    started_s = time.monotonic()
    gate = process_gate(end, asking=True, **clock.environ)
    clock.set(jump_s)
    code = gate.process.wait(120)
    took_s = time.monotonic() - started_s
    assert code == end, gate.stderr
    assert verdicts(gate.out) == [end.name.lower()]
    report = report_of(gate)
    begun, finished = (datetime.fromisoformat(report[key]) for key in ("started_at", "finished_at"))
    assert 0 < report["duration_s"] <= took_s
    assert abs((finished - begun).total_seconds() - report["duration_s"]) < 0.01
    assert all(0 <= check["duration_s"] <= took_s for check in report["checks"])
    assert remains(gate.temporary) == []
    fault = "the clock set by an hour or a year, either way, while a gate asks"
    record_property("figures", told(fault, f"exit {code}, {end.name.lower()}", seconds=took_s))


@pytest.mark.slow
@pytest.mark.parametrize("jump_s", JUMPS_S)
def test_the_next_run_clears_what_was_killed_under_another_clock(
    process_gate, clock, jump_s, record_property
):
    killed = process_gate(asking=True, **clock.environ)
    killed.process.kill()
    killed.process.wait(10)
    assert remains(killed.temporary)
    clock.set(jump_s)
    following = process_gate(out=killed.out, temporary=killed.temporary, **clock.environ)
    assert following.process.wait(120) == ExitCode.PROMOTE, following.stderr
    assert remains(killed.temporary) == []
    assert verdicts(killed.out) == ["promote"]
    record_property("figures", told("killed, then the clock set, before the next gate", "exit 0, promote"))


@pytest.mark.slow
@pytest.mark.parametrize("end", ENDS)
def test_clocks_that_began_long_ago(process_gate, end, record_property):
    """As after years without a restart."""
    within = unshared("--time", "--monotonic", str(10 * YEAR_S), "--boottime", str(10 * YEAR_S))
    gate = process_gate(end, within=within)
    assert gate.process.wait(120) == end, gate.stderr
    assert verdicts(gate.out) == [end.name.lower()]
    assert remains(gate.temporary) == []
    record_property("figures", told("clocks that began ten years ago", f"exit {end}, {end.name.lower()}"))


def test_a_living_run_of_another_time_namespace_is_left_alone():
    """Seen from here its process has another start time than it sees itself."""
    script = (
        "import sys; from harness.owner import Owner; print(Owner.current(), flush=True); sys.stdin.read()"
    )
    command = [*unshared("--time", "--boottime", str(YEAR_S)), sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        owner = Owner.parse(process.stdout.readline().strip())
        alive = owner.pid > 0 and not owner.is_gone()
        process.stdin.close()
    assert alive
