"""The folder of reports: a run is written whole or not at all, and read with suspicion.

While a run lasts, its evidence grows in ``.<run_id>.partial/``, which the run holds by a file lock.
The lock ends with the process, however it ends, so that a later run can tell a dead run's leftovers
from a living neighbour's work; a process id could not, across containers or after reuse.
The JSON comes last: ``*.json`` is exactly the finished runs.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Self

from pydantic import ValidationError
from pydantic_core import from_json

from harness.config.files import read_bounded
from harness.config.problems import config_error
from harness.errors import ConfigError, InfrastructureError, UsageError
from harness.evidence_files import verify
from harness.model import SCHEMA_VERSION, Report, Scope, TargetDescription
from harness.reports.figures.interface import Figure
from harness.reports.table import FILE_RENDERERS, render

LATEST = "latest"
MOST_REPORT_BYTES = 256 * 1024 * 1024

_JSON = FILE_RENDERERS["json"].suffix
RUN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-z]+-[0-9a-z]+")
_PARTIAL = re.compile(rf"\.({RUN_ID.pattern})\.partial")
_IMAGE_ID = re.compile(r"(?:sha256:)?([0-9a-f]{12})[0-9a-f]*")
_OWNER = "owner"
_EVIDENCE = "evidence"


def new_run_id(now: datetime, candidate: TargetDescription, token: str) -> str:
    """``20261121T224017Z-4f2a9c81d0be-7c1e9a``: UTC time, the candidate, and ``token`` against a clash.

    Args:
        now: An aware time.
        candidate: Gives the first 12 digits of its image id, or else its kind.
        token: Short and random, lower-case letters and digits.
    """
    image = _IMAGE_ID.fullmatch(candidate.image_id or "") if candidate.kind is Scope.CONTAINER else None
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{image[1] if image else candidate.kind.value}-{token}"


@dataclass(frozen=True)
class RunFolder:
    """One run's place in the folder of reports; made by :meth:`create`.

    Attributes:
        out: The folder of reports.
        run_id: From :func:`new_run_id`.
        owner: The locked file that says this run lives.
    """

    out: Path
    run_id: str
    owner: IO[bytes]

    @classmethod
    def create(cls, out: Path, run_id: str) -> Self:
        """Claim a place, proving that ``out`` can be written, and clear what dead runs left in it.

        Raises:
            UsageError: ``out`` cannot be written.
            ValueError: ``run_id`` is not of :func:`new_run_id`.
        """
        if not RUN_ID.fullmatch(run_id):
            raise ValueError(f"not a run id: {run_id!r}")
        try:
            out.mkdir(parents=True, exist_ok=True)
            _clear_dead_runs(out)
            if (out / f"{run_id}{_JSON}").exists():
                raise FileExistsError(f"{run_id} is there already")
            if (out / LATEST).is_dir():
                raise FileExistsError(f"{LATEST} is a folder there, and has to be a link")
            owner = _claim(_partial(out, run_id))
        except OSError as error:
            raise UsageError(
                f"--out {out}: reports cannot be written there ({error.strerror or error})",
                fix="name a folder that can be written, with free space",
            ) from error
        return cls(out, run_id, owner)

    @property
    def evidence(self) -> Path:
        """Where the run collects its evidence until :meth:`commit`."""
        return _partial(self.out, self.run_id) / _EVIDENCE

    @property
    def evidence_at(self) -> Path:
        """Where the evidence is after :meth:`commit`."""
        return self.out / self.run_id

    def commit(self, report: Report, figures: Sequence[Figure] = ()) -> Path:
        """Publish evidence and report, and point ``latest`` at it.

        Args:
            report: Of this run.
            figures: Plots of the evidence.

        Returns:
            The path of the JSON.

        Raises:
            InfrastructureError: the disk is full or failing; nothing of the run remains.
            ValueError: it is another run's report.
        """
        if report.run_id != self.run_id:
            raise ValueError(f"report of {report.run_id!r} in the folder of {self.run_id!r}")
        texts = {renderer.suffix: render(name, report, figures) for name, renderer in FILE_RENDERERS.items()}
        final = self.out / f"{self.run_id}{_JSON}"
        try:
            self.evidence.rename(self.evidence_at)
            for suffix in texts.keys() - {_JSON}:
                self._publish(suffix, texts[suffix])
            with _locked(self.out):
                self._publish(_JSON, texts[_JSON])
                self._link_latest()
        except OSError as error:
            with suppress(OSError):
                final.unlink(missing_ok=True)
            self.abandon()
            raise InfrastructureError(
                f"{self.out}: the report could not be written ({error.strerror or error})",
                fix="free disk space and run again",
            ) from error
        self.abandon()
        return final

    def abandon(self) -> None:
        """Remove what is not finished; after :meth:`commit` there is no such thing. Never raises."""
        _discard(self.out, self.run_id)
        self.owner.close()

    def _publish(self, suffix: str, text: str) -> None:
        """Write aside, flush to disk, then take the final name in one step."""
        aside = _partial(self.out, self.run_id) / f"new{suffix}"
        with aside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.out / f"{self.run_id}{suffix}")

    def _link_latest(self) -> None:
        aside = _partial(self.out, self.run_id) / LATEST
        aside.symlink_to(f"{self.run_id}{_JSON}")
        aside.replace(self.out / LATEST)


def evidence_folder(report_path: Path) -> Path:
    """The folder of evidence beside a stored report; follows ``latest``."""
    return report_path.resolve().with_suffix("")


def load_report(path: Path) -> Report:
    """Read a stored report.

    Raises:
        ConfigError: it is missing, truncated, not a report, or of another schema version.
    """
    try:
        if not path.is_file():
            raise ConfigError(file=path, problem="no such report")
    except OSError as error:
        raise ConfigError(file=path, problem=f"cannot be read ({error.strerror or error})") from error
    data = read_bounded(path, MOST_REPORT_BYTES, what="report")
    try:
        content = from_json(data, allow_inf_nan=False)
    except ValueError as error:
        raise ConfigError(file=path, problem=f"not JSON: {error}") from error
    if not isinstance(content, dict) or "schema_version" not in content:
        raise ConfigError(
            file=path, problem="not a report of harness", allowed="a file that `harness run` wrote"
        )
    if content["schema_version"] != SCHEMA_VERSION:
        raise ConfigError(
            file=path,
            key="schema_version",
            value=content["schema_version"],
            problem="this version of harness does not read it",
            allowed=SCHEMA_VERSION,
        )
    try:
        return Report.model_validate_json(data)
    except ValidationError as error:
        raise config_error(error, Report, path) from error


def verify_evidence(report: Report, folder: Path) -> None:
    """Hold every evidence file against the digest in the report.

    Raises:
        ConfigError: a file is missing, differs, or lies outside ``folder``.
    """
    for check in report.checks:
        verify(check.evidence_files, folder)


def _partial(out: Path, run_id: str) -> Path:
    return out / f".{run_id}.partial"


def _claim(partial: Path) -> IO[bytes]:
    """Make ``partial`` and lock its owner file, again if a neighbour cleared it in between."""
    while True:
        partial.mkdir()
        try:
            if owner := _owned(partial):
                return owner
        except FileNotFoundError:
            continue
        except OSError:
            shutil.rmtree(partial, ignore_errors=True)
            raise


def _owned(partial: Path) -> IO[bytes] | None:
    """The locked owner file; None where a neighbour has put another in its place."""
    path = partial / _OWNER
    owner = path.open("xb", buffering=0)
    _lock(owner.fileno())
    if path.stat().st_ino != os.fstat(owner.fileno()).st_ino:
        return None
    owner.write(f"pid {os.getpid()}\n".encode())
    (partial / _EVIDENCE).mkdir()
    return owner


def _lock(descriptor: int) -> None:
    # A file system without locks costs only the clearing of leftovers: they then count as alive.
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold ``folder`` for one writer, and flush its names to disk afterwards."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(descriptor)
        yield
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _clear_dead_runs(out: Path) -> None:
    for entry in out.iterdir():
        match = _PARTIAL.fullmatch(entry.name)
        if match and entry.is_dir() and not entry.is_symlink():
            _clear_if_dead(out, match[1])


def _clear_if_dead(out: Path, run_id: str) -> None:
    partial = _partial(out, run_id)
    try:
        with (partial / _OWNER).open("r+b") as owner:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _discard(out, run_id)
    except FileNotFoundError:
        # Empty: made a moment ago, and made again by _claim; or all that a clearing left.
        with suppress(OSError):
            partial.rmdir()
    except OSError:
        return  # it lives, or belongs to another user


def _discard(out: Path, run_id: str) -> None:
    """Remove the partial folder, and what was published of a run that never got to its JSON."""
    if not (out / f"{run_id}{_JSON}").exists():
        shutil.rmtree(out / run_id, ignore_errors=True)
        for renderer in FILE_RENDERERS.values():
            with suppress(OSError):
                (out / f"{run_id}{renderer.suffix}").unlink()
    partial = _partial(out, run_id)
    # The owner goes last: cut short, the folder still counts as a dead run's.
    shutil.rmtree(partial / _EVIDENCE, ignore_errors=True)
    shutil.rmtree(partial, ignore_errors=True)
