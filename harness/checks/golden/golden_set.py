"""Reads a golden set: ``golden.toml``, its header, and the cases it vouches for."""

import datetime as dt
import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator

from harness.checks.golden.settings import GoldenSettings, OutputSettings
from harness.checks.golden.wire import WireError, leaves, parse_json
from harness.config.problems import config_error
from harness.config.section import Section
from harness.config.suite import Suite
from harness.errors import ConfigError

HEADER_FILE = "golden.toml"
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(min_length=1)]


class Producer(Section):
    """Who computed the expected values; a served model is no producer, it would vouch for itself.

    Attributes:
        kind: ``pipeline`` trained the model, ``script`` computes the values another way, ``import`` took
            them over from elsewhere.
        environment: What it ran with.
    """

    name: Text
    version: Text
    kind: Literal["pipeline", "script", "import"]
    date: dt.date
    environment: Text


class GoldenModel(Section):
    """The model whose answers the expected values are."""

    name: Text
    version: Text
    sha256: Sha256


class GoldenDataset(Section):
    """The data the inputs come from."""

    name: Text
    sha256: Sha256


class CasesFile(Section):
    """The file of cases, beside the header."""

    file: Text
    sha256: Sha256
    count: Annotated[int, Field(ge=1)]

    @field_validator("file")
    @classmethod
    def _beside(cls, file: str) -> str:
        if PurePosixPath(file).name != file:
            raise ValueError("must be the name of a file beside golden.toml")
        return file


class GoldenHeader(Section):
    """``golden.toml``."""

    schema_version: Literal[1]
    producer: Producer
    model: GoldenModel
    dataset: GoldenDataset
    cases: CasesFile


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
class GoldenSet:
    """A golden set, verified against its own header."""

    header: GoldenHeader
    cases: tuple[Case, ...]


def load_golden_set(suite: Suite, settings: GoldenSettings) -> GoldenSet:
    """Read the set that the suite names.

    Raises:
        ConfigError: for whatever is wrong in it, naming file, line or key, value and what is allowed.
    """
    folder = suite.resolve(settings.path, key="golden.path")
    header = read_header(folder / HEADER_FILE)
    return GoldenSet(header, tuple(read_cases(folder, header.cases, settings.outputs)))


def read_header(file: Path) -> GoldenHeader:
    """Read ``golden.toml``.

    Raises:
        ConfigError: when it is missing, not TOML or not a header.
    """
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            file=file, problem=f"cannot be read: {error}", allowed="the header of a golden set"
        ) from error
    try:
        return GoldenHeader.model_validate(document)
    except ValidationError as error:
        raise config_error(error, GoldenHeader, file) from error


def read_cases(folder: Path, declared: CasesFile, outputs: Mapping[str, OutputSettings]) -> Iterator[Case]:
    """Yield the cases in order, one line in memory at a time; the digest is verified after the last.

    Raises:
        ConfigError: for the first line that is wrong, for another digest, for another count.
    """
    file = folder / declared.file
    digest, ids = hashlib.sha256(), set[str]()
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                digest.update(line)
                case = _case(line, file, number)
                _check_expected(case, outputs, file, number)
                if case.id in ids:
                    raise ConfigError(
                        file=file, key=f"line {number}: id", value=case.id, problem="used twice"
                    )
                ids.add(case.id)
                yield case
    except OSError as error:
        raise ConfigError(file=file, problem=f"cannot be read: {error}") from error
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
            allowed=digest.hexdigest(),
        )


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
