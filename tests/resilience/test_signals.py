"""A gate that is stopped at any moment: no half verdict, and nothing left, at the latest by the next start.

Fifty moments are tried. Of each second one the candidate is wrong: no moment may lead to a promote of that.
Each fifth gate is of every family, with what those start besides: generators of load and of requests, the
reference, a companion, and the archive of the image.
"""

import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from figures import told, verdict
from local_processes import alive_after
from running_gates import gates
from stored_runs import verdicts

from harness.errors import ExitCode

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.alone]

TRIES = 50
MOST_STARTS = 6
KINDS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
ENDS = (ExitCode.PROMOTE, ExitCode.REJECT)
PLAIN = Path(__file__).resolve().parents[1] / "suites" / "plain"
WRONG = r"RUN sed -i 's/2\.1/2.1000001/' /srv/weights.json"
BESIDE = """
[service.companions.beside]
image = "{image}"
port = 8080
environment = {{ PORT = "8080" }}

[image]
"""


@pytest.fixture(scope="module")
def small_gate(suite, tiny_images):
    """What starts a gate of golden cases alone, by how it ends."""
    return {end: (suite, tiny_images[end]) for end in ENDS}


@pytest.fixture(scope="module")
def whole_gate(images, base_image, build_image, tiny_images, tmp_path_factory):
    """What starts one of every family."""
    folder = tmp_path_factory.mktemp("whole") / "suite"
    shutil.copytree(PLAIN, folder)
    config = folder / "gate.toml"
    text = config.read_text().replace("port = 9090\n", 'port = 9090\nstart_with = ["beside"]\n')
    config.write_text(text + BESIDE.format(image=tiny_images[None]))
    plain = images.from_folder("plain", PLAIN, base=base_image, base_argument="BASE_IMAGE")
    lines = f"FROM ${{BASE}}\nUSER 0:0\n{WRONG}\nUSER 10001:10001\n"
    wrong = build_image("plain-wrong", lines, base=plain)
    return {
        ExitCode.PROMOTE: (config, plain, "--reference", plain),
        ExitCode.REJECT: (config, wrong, "--reference", plain),
    }


def undisturbed_s(command, folder):
    """How long a gate takes that nobody disturbs, when nothing of it is read for the first time."""
    with gates(folder) as start:
        for _ in range(2):
            started_s = time.monotonic()
            gate = start(*command)
            code = gate.process.wait(600)
            took_s = time.monotonic() - started_s
            assert code in {ExitCode.PROMOTE, ExitCode.INCONCLUSIVE}, gate.stderr
    return took_s


@pytest.fixture(scope="module")
def small_s(small_gate, tmp_path_factory):
    return undisturbed_s(small_gate[ExitCode.PROMOTE], tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(scope="module")
def whole_s(whole_gate, tmp_path_factory):
    return undisturbed_s(whole_gate[ExitCode.PROMOTE], tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(params=range(TRIES))
def seed(request):
    return request.param


@pytest.fixture
def disturbed(request, seed, start_gate):
    """A gate that runs, at a moment since its start, and which ends it may have but for the signal."""
    kind, end = ("whole" if seed % 5 == 4 else "small"), ENDS[seed % len(ENDS)]
    all_s, command = request.getfixturevalue(f"{kind}_s"), request.getfixturevalue(f"{kind}_gate")[end]
    # A machine may be too busy for the latency, of which the small one has none.
    ends = {end, ExitCode.INCONCLUSIVE} if kind == "whole" else {end}
    pause_s = random.Random(seed).uniform(0, all_s)
    for _ in range(MOST_STARTS):
        gate = start_gate(*command)
        time.sleep(pause_s)
        if gate.process.poll() is None:
            return gate, ends
        pause_s /= 2  # it was quicker than the one that nobody disturbed, and would be none of the tries
    pytest.fail(f"each of {MOST_STARTS} gates had ended before it was disturbed")


def test_a_signal_at_any_moment(disturbed, left_by, cleared, record_property, seed):
    kind = KINDS[seed % len(KINDS)]
    gate, ends = disturbed
    started = gate.descendants()
    signalled_s = time.monotonic()
    code = gate.end(kind)
    ended_s = time.monotonic() - signalled_s

    # Before its own first line, and after its last one, the signal alone ends it.
    stopped = set() if kind is signal.SIGKILL else {ExitCode.INTERRUPTED}
    assert code in {*ends, -kind} | stopped, gate.stderr
    assert "Traceback" not in gate.stderr or code == -kind
    stored = verdicts(gate.out)
    assert stored in ([], *([each.name.lower()] for each in ends))
    assert code not in ends or stored == [ExitCode(code).name.lower()], "a verdict that is not stored"
    left = left_by(gate)
    assert kind is signal.SIGKILL or not any(left.values()), left
    assert alive_after(started, 10) == set()

    cleared(gate)
    assert sorted(verdicts(gate.out)) == sorted([*stored, "promote"])
    families = "every family" if len(ends) > 1 else "golden"
    how = f"{'killed' if code < 0 else f'exit {code}'}, {verdict(stored)}"
    fault = f"{kind.name} at any moment of a gate of {families}"
    record_property("figures", told(fault, how, left=sum(left.values()), seconds=ended_s))
