"""Starts delay servers and runs the latency check on them, as a suite would."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from local_processes import first_line

from harness.checks.interface import AnyCheck, CheckContext
from harness.checks.latency.check import LatencyPaired
from harness.checks.latency.evidence import LatencyEvidence
from harness.config.suite import Suite, parse_suite
from harness.credentials import Credentials
from harness.environment import split_cores
from harness.model import Scope, TargetDescription
from harness.targets.process import CPUCLOCK_SCHED

SUITE = """
schema_version = 1
name = "delays"
[service]
port = 8000
ready_path = "/"
[latency]
request = { path = "/", body = { question = 1 } }
"""


def suite(settings: str) -> Suite:
    return parse_suite(SUITE + settings, Path("gate.toml"))


@dataclass(frozen=True)
class DelayEndpoint:
    """An endpoint on a delay server."""

    process: subprocess.Popen[bytes]
    base_url: str

    @property
    def description(self) -> TargetDescription:
        return TargetDescription(kind=Scope.PROCESS)

    @property
    def load_url(self) -> str:
        return self.base_url

    def alive(self) -> bool:
        return self.process.poll() is None

    def logs(self) -> str:
        return ""

    def cpu_s(self) -> float:
        return time.clock_gettime((~self.process.pid << 3) | CPUCLOCK_SCHED)

    def memory_bytes(self) -> int:
        resident_pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(resident_pages) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def delay_server(script: str = "delay_server.py", **wanted: float) -> Iterator[DelayEndpoint]:
    cpus, _ = split_cores()
    command = [sys.executable, str(Path(__file__).with_name(script)), json.dumps(wanted | {"cpus": cpus})]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            port = int(first_line(process))
            yield DelayEndpoint(process, f"http://127.0.0.1:{port}")
        finally:
            process.kill()


def collect(
    folder: Path,
    candidate: DelayEndpoint,
    reference: DelayEndpoint | None,
    settings: str,
    *,
    seed: int,
    check: AnyCheck | None = None,
) -> LatencyEvidence:
    declared = suite(settings)
    context = CheckContext(
        candidate=candidate,
        reference=reference,
        suite=declared,
        credentials=Credentials(declared.config.auth, {}),
        seed=seed,
        folder=folder,
        generator_cpus=split_cores()[1],
    )
    return (check or LatencyPaired()).collect(context, declared.config.latency)


@dataclass(frozen=True)
class Latency:
    """What the tests here share; helpers come as a fixture, since test folders are no packages."""

    suite = staticmethod(suite)
    server = staticmethod(delay_server)
    collect = staticmethod(collect)


@pytest.fixture
def latency() -> Latency:
    return Latency()
