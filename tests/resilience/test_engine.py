"""An engine that goes away in the middle: never a promote of what is wrong, and no crash."""

import os
import shutil
import subprocess
from pathlib import Path

import docker
import pytest
from figures import told, verdict
from running_gates import labelled
from stored_runs import remains, verdicts
from unix_proxy import UnixProxy

from harness.errors import ExitCode

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ("engine.sh", "find_engine.py", "private_network.py")
ENDS = (ExitCode.PROMOTE, ExitCode.REJECT)
NO_ANSWER = {ExitCode.INCONCLUSIVE, ExitCode.INFRASTRUCTURE}


@pytest.fixture
def proxy(tmp_path):
    """A way to the engine that can be closed."""
    between = UnixProxy(tmp_path / "s", os.environ["DOCKER_HOST"].removeprefix("unix://"))
    between.up()
    yield between
    between.down()


QUICK = (ExitCode.REJECT, True)
CASES = [
    pytest.param((end, back), marks=[] if (end, back) == QUICK else [pytest.mark.slow])
    for end in ENDS
    for back in (True, False)
]


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case[0].name} {'comes back' if case[1] else 'away'}"
)
def test_the_connection_is_lost_while_it_asks(gate_of, cleared, proxy, record_property, case):
    """What was seen of a wrong candidate stands; one that nobody can look at any more is not promoted."""
    end, comes_back = case
    gate = gate_of(end, asking=True, DOCKER_HOST=proxy.address)
    proxy.down()
    if comes_back:
        proxy.up()
    code = gate.process.wait(120)
    assert code in {end} | NO_ANSWER, gate.stderr
    assert "Traceback" not in gate.stderr
    stored = verdicts(gate.out)
    assert "promote" not in stored or (comes_back and end is ExitCode.PROMOTE)
    left = cleared(gate)
    assert not left or not comes_back
    fault = f"the connection to the engine lost while it asks, {'and back' if comes_back else 'for good'}"
    record_property("figures", told(fault, f"exit {code}, {verdict(stored)}", left=left))


@pytest.mark.parametrize(
    ("restarted", "code"),
    [(True, ExitCode.INFRASTRUCTURE), (False, ExitCode.REJECT)],
    ids=["with its engine", "by itself"],
)
def test_a_candidate_that_dies_while_it_asks(  # noqa: PLR0917 - fixtures
    gate_of, left_by, proxy, engine, record_property, restarted, code
):
    """As the engine ends its containers when it is restarted: that says nothing of a candidate."""
    gate = gate_of(ExitCode.PROMOTE, asking=True, DOCKER_HOST=proxy.address)
    if restarted:
        proxy.down()
        proxy.up()
    mine = set(labelled(engine, pid=gate.process.pid))
    (container,) = (each for each in engine.containers.list(ignore_removed=True) if each.name in mine)
    container.kill()
    assert gate.process.wait(120) == code, gate.stderr
    decisions = {ExitCode.REJECT: "reject", ExitCode.INFRASTRUCTURE: "inconclusive"}
    assert verdicts(gate.out) == [decisions[code]]
    left = left_by(gate)
    assert not any(left.values()), left
    fault = f"a candidate that dies {'with the connection to its engine' if restarted else 'by itself'}"
    record_property("figures", told(fault, f"exit {code}, {decisions[code]}"))


@pytest.mark.slow
def test_the_connection_is_lost_while_the_candidate_gets_ready(
    gate_of, left_by, cleared, proxy, record_property
):
    gate = gate_of("never ready", DOCKER_HOST=proxy.address)
    gate.wait_for(lambda: left_by(gate)["containers and networks"] == 2)
    proxy.down()
    code = gate.process.wait(120)
    assert code == ExitCode.INFRASTRUCTURE, gate.stderr
    assert "Traceback" not in gate.stderr
    stored, left = verdicts(gate.out), cleared(gate)
    fault = "the connection to the engine lost while a candidate gets ready"
    record_property("figures", told(fault, f"exit {code}, {verdict(stored)}", left=left))


@pytest.mark.slow
def test_no_engine_answers_any_more_when_it_begins(gate_of, proxy, record_property):
    proxy.down()
    gate = gate_of(DOCKER_HOST=proxy.address)
    assert gate.process.wait(60) == ExitCode.INFRASTRUCTURE
    assert "no engine answers there" in gate.stderr
    assert remains(gate.out) == remains(gate.temporary) == []
    record_property("figures", told("no engine answers any more when it begins", "exit 5, no verdict"))


class PrivateEngine:
    """An engine of its own, by a copy of the scripts that run one for a checkout."""

    def __init__(self, folder):
        self._folder = folder
        (folder / "scripts").mkdir()
        for name in SCRIPTS:
            shutil.copy2(ROOT / "scripts" / name, folder / "scripts" / name)
        self.address = ""

    def run(self, command):
        """What the script printed."""
        left_out = ("DOCKER_HOST", "DOCKER_CONTEXT", "XDG_RUNTIME_DIR")
        done = subprocess.run(
            [self._folder / "scripts" / "engine.sh", command],
            env={name: value for name, value in os.environ.items() if name not in left_out},
            check=False,
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self):
        """Start it; what is found instead of it is not ours to stop."""
        self.address = self.run("start").strip().splitlines()[-1].removeprefix("export DOCKER_HOST=")
        assert self.address == (self._folder / ".engine" / "docker_host").read_text().strip()

    def client(self):
        return docker.DockerClient(base_url=self.address, timeout=120)


@pytest.fixture
def private_engine(tmp_path, engine, tiny_images):
    """One that may be stopped, with the images; skipped where it cannot be had beside the machine's own."""
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        pytest.skip("a private engine needs root and dockerd")
    if Path("/var/run/docker.sock").exists():
        pytest.skip("the machine's own engine would be found first, and that is not restarted")
    own = PrivateEngine(tmp_path)
    try:
        own.start()
        client = own.client()
        for tag in tiny_images.values():
            client.images.load(b"".join(engine.images.get(tag).save(named=True)))
        yield own
    finally:
        own.run("stop")
        shutil.rmtree(tmp_path / ".engine", ignore_errors=True)


@pytest.mark.slow
@pytest.mark.parametrize("end", ENDS)
def test_the_engine_is_restarted_while_it_asks(gate_of, cleared, private_engine, record_property, end):
    """It ends its containers, which says nothing of the candidate; a wrong answer before that stands."""
    where = {"DOCKER_HOST": private_engine.address}
    gate = gate_of(f"a long {end.name.lower()}", asking=True, **where)
    private_engine.run("stop")
    private_engine.start()
    code = gate.process.wait(180)
    assert code in {ExitCode.INFRASTRUCTURE} | {end} - {ExitCode.PROMOTE}, gate.stderr
    assert "Traceback" not in gate.stderr
    stored = verdicts(gate.out)
    assert "promote" not in stored
    left = cleared(gate, private_engine.client(), **where)
    record_property(
        "figures", told("the engine restarted while it asks", f"exit {code}, {verdict(stored)}", left=left)
    )
