"""The secrets of a run are nowhere but in the run: not in what it writes, nor in what others see of it."""

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import docker.errors
import pytest
from figures import told
from hidden_text import TOKEN, Finder
from image_archives import pieces
from local_processes import descendants

from harness.errors import ExitCode
from harness.targets.engine import RUN_LABEL

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
PLAIN = ROOT / "tests" / "suites" / "plain" / "gate.toml"
GIVEN = 'sesame"&<%+/=\\given-0123456789'
RUNS = {
    "plain": (PLAIN, "--reference", "none", "--only", "golden", "--only", "scenarios"),
    "plain, whole": (PLAIN, "--skip", "lifecycle"),
    "reference": (
        *(ROOT / "gate.toml", "--reference", "none"),
        *(
            part
            for family in ("golden", "scenarios", "telemetry", "lifecycle")
            for part in ("--only", family)
        ),
    ),
}
IN_THE_IMAGE = {
    PLAIN: PLAIN.with_name("service.py"),
    ROOT / "gate.toml": ROOT / "reference_service" / "__main__.py",
}
"""By suite, a file of the service as its image has it."""


def looked(where, things):
    """The figures of a secret that was looked for in so many things."""
    return told(f"a secret in {where}", "found in none", tried=len(things))


@dataclass
class Seen:
    """What others on the machine could see while it ran.

    Attributes:
        arguments: Of every process, by its own words.
        environments: Of the processes that the gate started.
        networks: What the engine tells of them; likewise ``volumes``.
        containers: Likewise, but for their environment.
        problems: Why it could not be looked.
    """

    arguments: set[bytes] = field(default_factory=set)
    environments: set[tuple[bytes, bytes]] = field(default_factory=set)
    networks: set[str] = field(default_factory=set)
    volumes: set[str] = field(default_factory=set)
    containers: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def look(self, pid, engine):
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                self.arguments.add((folder / "cmdline").read_bytes())
        for child in descendants(pid):
            with suppress(OSError):
                folder = Path("/proc") / str(child)
                self.environments.add(((folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()))
        named = {"filters": {"label": RUN_LABEL}}
        for network in engine.networks.list(**named):
            self.networks.add(json.dumps(network.attrs))
        for volume in engine.volumes.list():
            self.volumes.add(json.dumps(volume.attrs))
        for container in engine.containers.list(all=True, ignore_removed=True, **named):
            config = {key: value for key, value in container.attrs["Config"].items() if key != "Env"}
            self.containers.add(json.dumps({**container.attrs, "Config": config}))

    @property
    def inspected(self):
        return self.networks | self.volumes | self.containers


@dataclass
class Run:
    """A run that has ended, and its secrets."""

    name: str
    config: Path
    secrets: list[str]
    out: Path
    temporary: Path
    output: bytes
    seen: Seen

    @property
    def finder(self):
        return Finder(self.secrets)


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=[] if name == "plain" else [pytest.mark.slow]) for name in RUNS],
)
def run(request, engine, base_image, tmp_path_factory):
    """A gate that builds its own candidate, and one who looks over its shoulder."""
    folder = tmp_path_factory.mktemp("secrets")
    config, *options = RUNS[request.param]
    temporary, told = folder / "tmp", folder / "told"
    temporary.mkdir()
    process = subprocess.Popen(
        [
            *(sys.executable, HERE / "told.py", told, "run", "--config", config, "--out", folder / "reports"),
            *(*options, "--json"),
        ],
        env={
            **os.environ,
            "TMPDIR": str(temporary),
            "HARNESS_BASE_IMAGE": base_image,
            "GATE_KEY_DEFAULT": GIVEN,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    seen, ended = Seen(), threading.Event()

    def watch():
        while not ended.is_set():
            try:
                seen.look(process.pid, engine)
            except docker.errors.NotFound:  # removed while it was looked at
                pass
            except Exception as error:  # noqa: BLE001 - a thread has nobody to tell, so a test does
                seen.problems.append(repr(error))
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    output, _ = process.communicate(timeout=1500)
    ended.set()
    watcher.join()
    assert process.returncode in {ExitCode.PROMOTE, ExitCode.INCONCLUSIVE}, output.decode()
    secrets = sorted({json.loads(line).strip() for line in told.read_text().splitlines()})
    return Run(request.param, config, secrets, folder / "reports", temporary, output, seen)


def test_there_were_secrets_and_somebody_looked(run):
    assert GIVEN in run.secrets
    assert len(run.secrets) > 5
    assert any(b"told.py" in arguments for arguments in run.seen.arguments)
    assert all((run.seen.networks, run.seen.containers))
    assert run.seen.problems == []
    # Golden cases and scenarios are asked by the gate itself, which starts nothing for them.
    assert run.name == "plain" or any(b"PATH=" in held for _what, held in run.seen.environments)


def test_they_are_in_no_file_that_was_written(run, record_property):
    """Reports, pages, JUnit, Markdown, logs and evidence, also in what is compressed there."""
    files = [file for file in run.out.rglob("*") if file.is_file()]
    assert {".json", ".html", ".xml", ".md"} <= {file.suffix for file in files}
    found = {str(file): what for file in files if (what := run.finder.found(file.read_bytes()))}
    assert found == {}
    record_property("figures", looked("files that a gate writes", files))


def test_they_are_in_no_name_of_a_file(run):
    assert [path for path in run.out.rglob("*") if run.finder.found(str(path).encode())] == []


def test_they_are_not_in_what_was_printed(run):
    assert run.finder.found(run.output) == ""


def test_they_were_in_no_arguments_of_any_process(run, record_property):
    assert [each for each in run.seen.arguments if run.finder.found(each)] == []
    record_property("figures", looked("command lines while a gate runs", run.seen.arguments))


def test_they_were_in_no_environment_of_what_the_gate_started(run):
    """But for the load generator's, which has the gate's own; the kernel shows that to its user alone."""
    others = [(what, held) for what, held in run.seen.environments if b"harness.load.worker" not in what]
    assert [what for what, held in others if b"told.py" not in what and run.finder.found(held)] == []


def test_they_were_in_nothing_that_the_engine_tells_of_networks_volumes_and_containers(run, record_property):
    assert [each for each in run.seen.inspected if run.finder.found(each.encode())] == []
    record_property("figures", looked("what the engine tells of containers", run.seen.inspected))


def test_they_are_in_no_layer_of_the_image_that_was_built(run, engine, tmp_path, record_property):
    (path,) = run.out.glob("*.json")
    image = engine.images.get(json.loads(path.read_text())["candidate"]["image_id"])
    assert run.finder.found(json.dumps([image.attrs, image.history()]).encode()) == ""
    archive = tmp_path / "image.tar"
    with archive.open("wb") as file:
        file.writelines(image.save())
    # A token is made when the image is there already.
    finder = Finder(each for each in run.secrets if not TOKEN.fullmatch(each))
    first_line = IN_THE_IMAGE[run.config].read_text().splitlines()[0]
    known, is_known, size = Finder([first_line]), False, 0
    for piece in pieces(archive):
        assert finder.plainly(piece) == ""
        is_known = is_known or bool(known.plainly(piece))
        size += len(piece)
    assert is_known, "what is certainly there was not found either"
    record_property("figures", looked("the layers of an image that a gate builds, MiB", range(size >> 20)))


def test_nothing_is_left_in_temporary_files(run):
    assert list(run.temporary.iterdir()) == []
