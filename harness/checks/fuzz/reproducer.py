"""A request that failed, stored in a file, to be sent again."""

import hashlib
import json
import re
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from harness.checks.fuzz.raw_message import Payload
from harness.checks.fuzz.settings import Expectation, SchemaCheck
from harness.config.files import is_folder
from harness.config.problems import config_error
from harness.errors import ConfigError
from harness.model import Utf8Text
from harness.reproduce import redact_bytes

FOLDER = "reproducers"
HOST = "$HARNESS_HOST"
"""Stands for the host and port of the service."""
MOST_FILE_BYTES = 8 * 1024 * 1024
MOST_SENT_BYTES = 128 * 1024 * 1024
_TEXT = re.compile(rb"[\r\n\x20-\x7e]{0,65536}")


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: Literal[1] = 1


class StoredCase(_Stored):
    """A generated request.

    Attributes:
        check: What it failed.
        status: How it was answered; None where it was not.
        seed: Of the check that generated it.
        request: As it was sent, without secrets, for the reader; ``case`` is what is sent again.
    """

    kind: Literal["generated"] = "generated"
    check: SchemaCheck | Literal["no_answer"]
    operation: Utf8Text
    status: int | None
    message: Utf8Text
    seed: int
    request: dict[str, Any]
    case: dict[str, Any]


class Packed(BaseModel):
    """Bytes that are no short text: zlib, then base64."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    zlib_base64: str


class StoredRaw(_Stored):
    """A request of the raw corpus: the bytes themselves, with variables for secrets and the host."""

    kind: Literal["raw"] = "raw"
    case: Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")]
    expect: Expectation
    statuses: tuple[int, ...]
    status: int | None
    parts: tuple[str | Packed, ...]
    pause_s: Annotated[float, Field(ge=0, le=10)]
    half_close: bool
    abort: bool
    answers: Annotated[int, Field(ge=1, le=16)]
    times: Annotated[int, Field(ge=1, le=1000)]
    senders: Annotated[int, Field(ge=0, le=100)]

    def payload(self, values: Mapping[str, str]) -> Payload:
        """The bytes to send, with ``values`` in place of the variables.

        Raises:
            ValueError: a part is not what it says.
        """
        parts = tuple(_filled(_unpacked(part), values) for part in self.parts)
        if sum(map(len, parts)) > MOST_SENT_BYTES:
            raise ValueError(f"more than {MOST_SENT_BYTES} bytes")
        return Payload(
            parts,
            pause_s=self.pause_s,
            half_close=self.half_close,
            abort=self.abort,
            answers=self.answers,
            times=self.times,
            senders=self.senders,
        )


Stored = StoredCase | StoredRaw
_STORED: TypeAdapter[Stored] = TypeAdapter(Annotated[Stored, Field(discriminator="kind")])


@dataclass(frozen=True)
class ReproducerFile:
    """A stored request and where it lies."""

    path: Path
    sha256: str
    stored: Stored


def raw_parts(payload: Payload, host: str, redact: Callable[[str], str]) -> tuple[str | Packed, ...]:
    """The bytes of a payload, without secrets and the host."""
    return tuple(
        _packed(redact_bytes(part, redact).replace(host.encode(), HOST.encode())) for part in payload.parts
    )


def write(folder: Path, name: str, stored: Stored, redact: Callable[[str], str]) -> str:
    """Store in the folder of a check's evidence; return the path relative to the folder of all evidence."""
    path = folder / FOLDER / f"{re.sub(r'[^a-zA-Z0-9.]+', '-', name).strip('-')[:100]}.json"
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(stored.model_dump(mode="python"), indent=1)
    path.write_text(redact(text) + "\n", encoding="utf-8")
    return path.relative_to(folder.parent).as_posix()


def read_all(paths: Sequence[Path]) -> tuple[ReproducerFile, ...]:
    """The stored requests of files, and of all files ``*.json`` of folders; each content once.

    Raises:
        ConfigError: naming the file and what is wrong with it.
    """
    files: list[Path] = []
    for path in paths:
        found = sorted(path.glob("*.json")) if is_folder(path) else [path]
        if not found:
            raise ConfigError(file=path, problem="a folder without any *.json", allowed=_ALLOWED)
        files += found
    distinct: dict[str, ReproducerFile] = {}
    for file in map(_read, files):
        distinct.setdefault(file.sha256, file)
    return tuple(distinct.values())


_ALLOWED = f"a file of {FOLDER}/ in the evidence of fuzz.schema or fuzz.raw, or such a folder"


def _read(path: Path) -> ReproducerFile:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_FILE_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            file=path, problem=f"cannot be read: {error.strerror or error}", allowed=_ALLOWED
        ) from error
    if len(content) > MOST_FILE_BYTES:
        raise ConfigError(file=path, problem="too large", allowed=f"at most {MOST_FILE_BYTES} bytes")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ConfigError(file=path, problem=f"not JSON: {error}", allowed=_ALLOWED) from error
    try:
        stored = _STORED.validate_python(document)
        if isinstance(stored, StoredRaw):
            stored.payload({})
    except ValidationError as error:
        kind = document.get("kind") if isinstance(document, dict) else None
        raise config_error(error, StoredRaw if kind == "raw" else StoredCase, path) from error
    except ValueError as error:
        raise ConfigError(file=path, key="parts", problem=str(error), allowed=_ALLOWED) from error
    return ReproducerFile(path, hashlib.sha256(content).hexdigest(), stored)


def _packed(part: bytes) -> str | Packed:
    if _TEXT.fullmatch(part):
        return part.decode("ascii")
    return Packed(zlib_base64=b64encode(zlib.compress(part, 9)).decode())


def _unpacked(part: str | Packed) -> bytes:
    if isinstance(part, str):
        return part.encode("ascii")
    unpacking = zlib.decompressobj()
    try:
        return unpacking.decompress(b64decode(part.zlib_base64, validate=True), MOST_SENT_BYTES + 1)
    except zlib.error as error:
        raise ValueError(f"not zlib: {error}") from None


def _filled(part: bytes, values: Mapping[str, str]) -> bytes:
    for variable, value in values.items():
        part = part.replace(variable.encode("latin-1"), value.encode("latin-1"))
    return part
