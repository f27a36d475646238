"""Inputs to record: JSON lines of ``{"id", "input"}``, or those of a golden set."""

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.checks.golden.golden_set import Case, lines_of
from harness.checks.golden.header import GoldenDataset, Text
from harness.checks.golden.wire import parse_json
from harness.config.problems import config_error
from harness.config.section import Section
from harness.errors import ConfigError


class InputLine(Section):
    """One line; ``expected`` is read over, so that a file of cases is a file of inputs."""

    id: Text
    input: Any
    expected: Any = None


@dataclass(frozen=True)
class Inputs:
    """A file of inputs, verified, and read one line at a time."""

    file: Path
    count: int
    dataset: GoldenDataset

    def __iter__(self) -> Iterator[Case]:
        """Cases that expect nothing."""
        return _cases(self.file)


def read_inputs(file: Path, name: str | None = None) -> Inputs:
    """Read a file of inputs through.

    Args:
        file: JSON lines, gzipped where its name ends in ``.gz``.
        name: Of the data set; None for the file's own.

    Raises:
        ConfigError: for the first line that is wrong, for an id used twice, for none at all.
    """
    digest, ids = hashlib.sha256(), set[str]()
    for case in _cases(file):
        if case.id in ids:
            raise ConfigError(file=file, key="id", value=case.id, problem="used twice")
        ids.add(case.id)
    with lines_of(file) as lines:
        for line in lines:
            digest.update(line)
    if not ids:
        raise ConfigError(file=file, problem="has no input", allowed='one a line: {"id": ..., "input": ...}')
    return Inputs(file, len(ids), GoldenDataset(name=name or file.name, sha256=digest.hexdigest()))


def _cases(file: Path) -> Iterator[Case]:
    try:
        with lines_of(file) as lines:
            for number, line in enumerate(lines, start=1):
                yield _case(line, file, number)
    except (OSError, EOFError, zlib.error) as error:
        raise ConfigError(file=file, problem=f"cannot be read: {error}") from error


def _case(line: bytes, file: Path, number: int) -> Case:
    key = f"line {number}"
    try:
        read = InputLine.model_validate(parse_json(line))
    except ValidationError as error:
        raise config_error(error, InputLine, file, key=key) from error
    except ValueError as error:
        allowed = 'one JSON object a line: {"id": ..., "input": ...}'
        raise ConfigError(file=file, key=key, problem=f"not JSON: {error}", allowed=allowed) from error
    return Case(id=read.id, input=read.input, expected={})
