"""Reads a golden set: ``golden.toml``, its header, and the cases it vouches for, one in memory at a time."""

import gzip
import hashlib
import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from harness.checks.golden.header import HEADER_FILE, CasesFile, GoldenHeader, Text, read_header
from harness.checks.golden.settings import GoldenSettings, OutputSettings
from harness.checks.golden.wire import WireError, leaves, parse_json
from harness.config.files import plain_file
from harness.config.problems import config_error
from harness.config.section import Section
from harness.config.suite import Suite
from harness.errors import ConfigError


class Case(Section):
    """One line of the cases file.

    Attributes:
        input: What the suite's body template substitutes.
        expected: Value of each output, in the layout that :class:`OutputSettings` declares.
    """

    id: Text
    input: Any
    expected: dict[str, Any]


@dataclass(frozen=True)
class Cases:
    """The cases of a set, read anew each time they are iterated; never all in memory."""

    folder: Path
    declared: CasesFile
    outputs: Mapping[str, OutputSettings]

    def __len__(self) -> int:
        """As many as the header counts."""
        return self.declared.count

    def __iter__(self) -> Iterator[Case]:
        """Raises what :func:`read_cases` does."""
        return read_cases(self.folder, self.declared, self.outputs)


@dataclass(frozen=True)
class GoldenSet:
    """A golden set; its cases are held against its header whenever they are read to their end."""

    header: GoldenHeader
    cases: Cases


def load_golden_set(suite: Suite, settings: GoldenSettings) -> GoldenSet:
    """The set that the suite names, read through once.

    Raises:
        ConfigError: for whatever is wrong in it, naming file, line or key, value and what is allowed.
    """
    golden = open_golden_set(suite, settings)
    for _ in golden.cases:
        pass
    return golden


def open_golden_set(suite: Suite, settings: GoldenSettings) -> GoldenSet:
    """The set that the suite names, for whoever reads all its cases, which verifies them.

    Raises:
        ConfigError: for a wrong header.
    """
    folder = suite.resolve(settings.path, key="golden.path")
    header = read_header(folder / HEADER_FILE)
    return GoldenSet(header, Cases(folder, header.cases, settings.outputs))


def read_cases(folder: Path, declared: CasesFile, outputs: Mapping[str, OutputSettings]) -> Iterator[Case]:
    """Yield the cases in order, one line in memory at a time; digest and ids are verified after the last.

    Raises:
        ConfigError: for the first line that is wrong, for an id used twice, for another digest or count.
    """
    file = folder / declared.file
    digest, ids = hashlib.sha256(), array("Q")
    try:
        with lines_of(file) as lines:
            for number, line in enumerate(lines, start=1):
                digest.update(line)
                case = _case(line, file, number)
                _check_expected(case, outputs, file, number)
                ids.append(_short_digest(case.id))
                yield case
    except (OSError, EOFError, zlib.error) as error:
        raise ConfigError(file=file, problem=f"cannot be read: {error}") from error
    if _has_repeated(ids):
        _require_distinct(file)
    header = folder / HEADER_FILE
    if not ids:
        raise ConfigError(file=file, problem="has no case", allowed="at least one case, one a line")
    if len(ids) != declared.count:
        raise ConfigError(
            file=header, key="cases.count", value=declared.count, problem=f"{file.name} has {len(ids)} cases"
        )
    if digest.hexdigest() != declared.sha256:
        raise ConfigError(
            file=header,
            key="cases.sha256",
            value=declared.sha256,
            problem=f"{file.name} has another digest, so it was changed after it was recorded",
            allowed=f"{file.name} as it was recorded: restore it; then `harness golden bless` for other "
            "answers, or `harness golden record --force` for other inputs",
        )


def lines_of(file: Path) -> AbstractContextManager[Iterable[bytes]]:
    """The lines of a file of cases, decompressed where its name ends in ``.gz``."""
    file = plain_file(file)
    return gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb")


def _short_digest(text: str) -> int:
    """Eight bytes in place of an id, so that those of a large set take little memory."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def _has_repeated(ids: "array[int]") -> bool:
    ordered = np.sort(np.frombuffer(ids, dtype=np.uint64))
    return bool((ordered[1:] == ordered[:-1]).any())


def _require_distinct(file: Path) -> None:
    """Find the id behind two equal short digests; different ids may share one."""
    seen = set[str]()
    with lines_of(file) as lines:
        for number, line in enumerate(lines, start=1):
            case = _case(line, file, number)
            if case.id in seen:
                raise ConfigError(file=file, key=f"line {number}: id", value=case.id, problem="used twice")
            seen.add(case.id)


def _case(line: bytes, file: Path, number: int) -> Case:
    try:
        document = parse_json(line)
    except ValueError as error:
        raise ConfigError(
            file=file, key=f"line {number}", problem=f"not JSON: {error}", allowed="one JSON object a line"
        ) from error
    try:
        return Case.model_validate(document)
    except ValidationError as error:
        raise config_error(error, Case, file, key=f"line {number}") from error


def _check_expected(case: Case, outputs: Mapping[str, OutputSettings], file: Path, number: int) -> None:
    if set(case.expected) != set(outputs):
        raise ConfigError(
            file=file,
            key=f"line {number}: expected",
            value=sorted(case.expected),
            problem="does not name the outputs that [golden.outputs] declares",
            allowed=", ".join(sorted(outputs)),
        )
    for name, output in outputs.items():
        try:
            leaves(case.expected[name], output)
        except WireError as error:
            raise ConfigError(
                file=file,
                key=f"line {number}: expected.{name}{error.pointer}",
                value=case.expected[name],
                problem=str(error),
                allowed=f"{output.dtype}, as [golden.outputs.{name}] declares",
            ) from error
