"""The trials of a selftest, one JSON line each, on disk before the next begins.

A file holds those of one digest alone: a trial of another catalogue, suite or harness says nothing here.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

import harness
from harness import __version__
from harness.checks.table import CHECKS
from harness.config.files import plain_file
from harness.config.suite import Suite
from harness.errors import ConfigError, InfrastructureError, UsageError
from harness.evidence_files import sha256_file
from harness.inputs import input_digests
from harness.model import Capability
from harness.plan import planned_checks
from harness.selftest.model import Mode, Result, Trial

TRIALS = "trials.jsonl"
_NAME_CHARACTERS = 16
_PACKAGE = Path(harness.__file__).parent
_OPEN = frozenset({Result.ERROR, Result.UNDECIDED})


@dataclass(frozen=True)
class TrialStore:
    """What one selftest has found so far.

    Attributes:
        folder: ``OUT/selftest/<digest>``.
    """

    folder: Path

    @property
    def path(self) -> Path:
        """The lines."""
        return self.folder / TRIALS

    def read(self) -> tuple[Trial, ...]:
        """All whole lines; one that an interruption cut is as if it never was.

        Raises:
            ConfigError: a line is no trial.
        """
        try:
            whole, _, _cut = plain_file(self.path).read_bytes().rpartition(b"\n")
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise ConfigError(
                file=self.path, problem=f"cannot be read ({error.strerror or error})"
            ) from error
        trials = []
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                trials.append(Trial.model_validate_json(line))
            except ValidationError as error:
                raise ConfigError(
                    file=self.path,
                    key=f"line {number}",
                    problem=f"no trial: {error.errors(include_url=False)[0]['msg']}",
                    allowed="lines as `harness selftest` wrote them; without the file it begins anew",
                ) from error
        return tuple(trials)

    def others(self) -> tuple[Path, ...]:
        """Folders beside this one that have trials, of other digests; the newest first."""
        lines = [path for path in self.folder.parent.glob(f"*/{TRIALS}") if path.parent != self.folder]
        return tuple(path.parent for path in sorted(lines, key=_changed_at, reverse=True))

    def append(self, trial: Trial) -> None:
        """Write a line through to the disk, in place of one that was cut.

        Raises:
            InfrastructureError: the disk is full or failing.
        """
        try:
            with self.path.open("ab+") as file:
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)
                file.write(trial.model_dump_json(ensure_ascii=True).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise InfrastructureError(
                f"{self.path}: the trial of {trial.name} could not be written ({error.strerror or error})",
                fix="free disk space and run again",
            ) from error

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder for one selftest; the lock ends with the process, however that ends.

        Raises:
            UsageError: another one holds it, or it cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / ".lock").open("wb")
        except OSError as error:
            raise UsageError(
                f"--out: {self.folder} cannot be written ({error.strerror or error})",
                fix="name a folder that can be written, with free space",
            ) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UsageError(
                    f"another selftest of the same suite and catalogue writes to {self.folder}",
                    fix="wait for it, or give this one another --out",
                ) from error
            yield


def last_of_each(trials: Iterable[Trial], mode: Mode, seed: int) -> dict[str, Trial]:
    """The last trial of each entry, by its name, as it was asked for now; it counts those before it."""
    last: dict[str, Trial] = {}
    for trial in trials:
        if (trial.mode, trial.seed) == (mode, seed):
            last[trial.name] = following(last.get(trial.name), trial)
    return last


def following(before: Trial | None, trial: Trial) -> Trial:
    """A trial that knows how many of its entry came before it."""
    return trial.model_copy(update={"earlier": 0 if before is None else before.earlier + 1})


def is_done(trial: Trial | None, healthy: str) -> bool:
    """Whether an entry needs no further trial: it has one of the same image, which left nothing open.

    What was decided stays: a survivor that is asked until it is killed would be none. A probe that showed
    nothing may have met a busy machine; where a whole gate showed nothing, there is nothing.
    """
    if trial is None or trial.healthy != healthy or trial.result in _OPEN:
        return False
    return trial.result is not Result.INACTIVE or bool(trial.report)


def digest_of(
    suites: Sequence[tuple[Suite, Mapping[str, str]]], files: Mapping[str, Path], further: Sequence[str] = ()
) -> str:
    """Of all that decides what trials come to, but for the images: 16 hexadecimal digits.

    Args:
        suites: Their text, and the SHA-256 of each file that their checks read.
        files: Of the catalogue, by name.
        further: What else there is to tell apart.
    """
    parts = [__version__, *further]
    for path in package_files():
        parts += [path.relative_to(_PACKAGE).as_posix(), sha256_file(path)]
    for name, path in sorted(files.items()):
        parts += [name, sha256_file(path)]
    for suite, inputs in suites:
        parts += [suite.config.name, suite.sha256]
        for name, sha256 in sorted(inputs.items()):
            parts += [name, sha256]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_NAME_CHARACTERS]


def package_files() -> tuple[Path, ...]:
    """What the harness itself is made of: its modules, and the tables that they read."""
    return tuple(path for path in sorted(_PACKAGE.rglob("*")) if path.suffix in {".py", ".toml"})


def catalogue_files(folder: Path) -> dict[str, Path]:
    """Every file of a catalogue, by its path in it."""
    return {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def inputs_of(suite: Suite) -> dict[str, str]:
    """SHA-256 of each file that the checks of a suite read, by path relative to its gate.toml.

    Raises:
        ConfigError: one is missing or wrong.
    """
    planned = planned_checks(suite, CHECKS, only=(), skip=(), capabilities=tuple(Capability))
    return {
        name: sha256
        for item in planned
        for name, sha256 in sorted(input_digests(item.check, suite, item.settings).items())
    }


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # removed meanwhile
        return 0.0
