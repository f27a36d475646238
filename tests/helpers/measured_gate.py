"""A gate in a process of its own: how long it takes, what memory it and its children hold, what it leaves."""

import contextlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from local_processes import alive_after, descendants, kill

from harness.targets.engine import OWNER_LABEL

EVERY_S = 0.05
ENGINE_EVERY_S = 0.5
END_S = 30
PROC = Path("/proc")
KIB = 1024
MIB = 1024 * 1024


@dataclass(frozen=True)
class Measured:
    """One gate that ended by itself.

    Attributes:
        peak_mib: Of resident memory, all of its processes together; pages that they share count for each.
        leftovers: Containers, networks, volumes, processes and files that were still there.
        reports: Its folder of reports.
    """

    code: int
    seconds: float
    peak_mib: float
    stdout: str
    stderr: str
    leftovers: tuple[str, ...]
    reports: Path

    @property
    def path(self):
        """Of the report's JSON."""
        (path,) = self.reports.glob("*.json")
        return path

    @property
    def report(self):
        return json.loads(self.path.read_text())

    def finding(self, identity):
        findings = {each["id"]: each for check in self.report["checks"] for each in check["findings"]}
        return findings[identity]

    def candidates_log(self):
        """What all of its candidates wrote, as far as it is kept."""
        logs = sorted((self.path.with_suffix("") / "lifecycle.target").glob("candidate-*.log"))
        return "".join(log.read_text() for log in logs)


def measure(arguments, *, folder, engine, most_s, **environ):
    """Run ``harness`` with these arguments; it must end within ``most_s``.

    Args:
        folder: An empty one, for its reports, its temporary files and what it prints.
        engine: docker-py's client, to look for what is left.
    """
    temporary, reports = folder / "tmp", folder / "reports"
    temporary.mkdir(parents=True)
    stdout, stderr = folder / "stdout", folder / "stderr"
    command = [sys.executable, "-m", "harness", *map(str, arguments), "--out", str(reports)]
    given = {**os.environ, "TMPDIR": str(temporary), "NO_COLOR": "1", **environ}
    started = time.monotonic()
    with stdout.open("wb") as out, stderr.open("wb") as err:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=given)
    try:
        pids, volumes, peak_bytes = _watched(process, engine, started + most_s)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{stderr.read_text()}") from None
    finally:
        if process.poll() is None:
            _ended(process)
    seconds = time.monotonic() - started
    return Measured(
        code=process.returncode,
        seconds=seconds,
        peak_mib=peak_bytes / MIB,
        stdout=stdout.read_text(),
        stderr=stderr.read_text(),
        leftovers=(
            *_in_the_engine(engine, process.pid, volumes),
            *(f"process {pid}" for pid in sorted(alive_after(pids - {process.pid}, 5))),
            *(f"file {path.name}" for path in (*temporary.iterdir(), *reports.glob(".*"))),
        ),
        reports=reports,
    )


def _watched(process, engine, give_up):
    """Its processes and the volumes of its containers, all that ever were there, and the most memory."""
    pids, volumes, peak_bytes, asked = set(), set(), 0, 0.0
    while process.poll() is None:
        assert time.monotonic() < give_up, "it did not end in its time"
        now = {process.pid, *descendants(process.pid)}
        pids |= now
        peak_bytes = max(peak_bytes, sum(map(_resident_bytes, now)))
        if time.monotonic() - asked > ENGINE_EVERY_S:
            asked = time.monotonic()
            volumes |= _volumes(engine, process.pid)
        time.sleep(EVERY_S)
    return pids, volumes, peak_bytes


def _ended(process):
    """Asked to, so that it removes what it started; killed if it does not."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(END_S)
    kill(process)


def _resident_bytes(pid):
    """Zero once it is gone."""
    with contextlib.suppress(OSError):
        for line in (PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * KIB
    return 0


def _of(pid, labels):
    return f"|{pid}|" in (labels or {}).get(OWNER_LABEL, "")


def _containers(engine, pid):
    listed = engine.api.containers(all=True, filters={"label": OWNER_LABEL})
    return [each for each in listed if _of(pid, each["Labels"])]


def _volumes(engine, pid):
    mounts = (mount for each in _containers(engine, pid) for mount in each.get("Mounts") or ())
    return {mount["Name"] for mount in mounts if mount.get("Type") == "volume"}


def _in_the_engine(engine, pid, volumes):
    networks = engine.api.networks(filters={"label": OWNER_LABEL})
    there = {volume["Name"] for volume in engine.api.volumes()["Volumes"] or ()}
    return (
        *(f"container {each['Names']}" for each in _containers(engine, pid)),
        *(f"network {each['Name']}" for each in networks if _of(pid, each.get("Labels"))),
        *(f"volume {name}" for name in sorted(volumes & there)),
    )
