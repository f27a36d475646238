"""A shell that runs the commands of the documentation as they stand there."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import httpx
from local_processes import kill
from pages import command

KEY = "a-key-of-some-length"
BIN = Path(sys.executable).parent
# What a machine's owner has set; nothing else of the tests' own environment is seen by a command.
PASSED_ON = (
    "DOCKER_",
    "HARNESS_",
    "NO_PROXY",
    "no_proxy",
    "PIP_",
    "SSL_",
    "HTTP",
    "http",
    "REQUESTS_",
    "CURL_",
)


class Instead(NamedTuple):
    """What takes the place of a part of a command, because time or place demand it."""

    part: str
    other: str
    because: str


@dataclass
class Running:
    """Commands that run in a shell."""

    shell: subprocess.Popen
    log: Path

    @property
    def out(self):
        return self.log.with_suffix(".out").read_text()

    @property
    def said(self):
        return self.log.with_suffix(".err").read_text()

    def wait_for(self, condition, timeout_s=60):
        """Until ``condition()`` gives something; that."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                if found := condition():
                    return found
            assert self.shell.poll() is None, self.out + self.said
            time.sleep(0.05)
        raise AssertionError(self.out + self.said)

    def interrupt(self, timeout_s=60):
        """Its exit code after Ctrl-C."""
        os.killpg(self.shell.pid, signal.SIGINT)
        return self.shell.wait(timeout_s)


@dataclass(frozen=True)
class World:
    """A folder in which a reader stands, and the environment of the shell there."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def start(self, page, *beginnings, instead=(), before="", within=()):
        """Run the commands of a page that begin so, one after the other in one shell; ends with the block.

        Args:
            page: Its name relative to the root.
            beginnings: Of its commands, as ``pages.command`` finds them.
            instead: What is replaced in them, and why.
            before: Shell that a reader has behind them.
            within: A command that the shell runs under.
        """
        script = "\n".join(command(page, beginning) for beginning in beginnings)
        for part, other, _because in instead:
            assert part in script, f"{page}: nothing to put {other!r} in the place of: {part!r}"
            script = script.replace(part, other)
        logs = self.folder.parent / "logs"
        logs.mkdir(exist_ok=True)
        log = logs / f"{len(list(logs.iterdir()))}"
        environ = {"HOME": os.environ["HOME"], "LANG": "C.UTF-8", "COLUMNS": "200"}
        environ |= {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
        environ |= {"PATH": f"{BIN}:{os.environ['PATH']}", **self.environ}
        with log.with_suffix(".out").open("wb") as out, log.with_suffix(".err").open("wb") as err:
            shell = subprocess.Popen(
                [*within, "bash", "-c", f"set -euo pipefail\n{before}\n{script}"],
                cwd=self.folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        try:
            yield Running(shell, log)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()

    def walk(self, page, *beginnings, codes=(0,), timeout_s=120, **more):
        """Run commands to their end, which has to be one of ``codes``."""
        with self.start(page, *beginnings, **more) as running:
            with suppress(subprocess.TimeoutExpired):
                running.shell.wait(timeout_s)
            code = running.shell.returncode
            assert code in codes, (
                f"exit code {code} after {timeout_s} s at most\n{running.out}\n{running.said}"
            )
            return running


@contextmanager
def serving(command, url, folder, **environ):
    """A service that answers at ``url`` within."""
    with (folder / "service.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **environ}, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            assert process.poll() is None, (folder / "service.log").read_text()
            with suppress(httpx.TransportError):
                if httpx.get(url).is_success:
                    yield
                    return
            time.sleep(0.05)
        raise AssertionError((folder / "service.log").read_text())
    finally:
        kill(process)
