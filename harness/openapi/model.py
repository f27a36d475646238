"""What a comparison of two OpenAPI documents yields: changes, or the reason why one cannot be read."""

import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from harness.errors import ExitCode, HarnessError

_SHOWN_CHARACTERS = 100
_PLACE_CHARACTERS = 300
_SHOWN_BITS = 1024


class Severity(StrEnum):
    """How much a change means to a client written against the old document; the sharpest first."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Direction(StrEnum):
    """Which way the changed data travels; decides whether widening or narrowing is what breaks."""

    REQUEST = "request"
    RESPONSE = "response"
    NONE = "none"


class Change(BaseModel):
    """One classified difference.

    `pointer` is a JSON pointer into the new document, or into the old one for what is gone.
    `operation` reads like `POST /predict`, and is empty for what belongs to no single operation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    severity: Severity
    direction: Direction
    pointer: str
    operation: str
    message: str
    old: Any = None
    new: Any = None


class OpenAPIError(HarnessError):
    """A document that cannot be compared.

    Attributes:
        pointer: JSON pointer to the offending place.
        problem: What stands there.
        allowed: What may stand there.
        document: Which document it is, as the caller named it.
    """

    exit_code = ExitCode.USAGE

    def __init__(self, pointer: str, value: object, allowed: str, *, document: str) -> None:
        self.pointer = pointer
        self.problem = f"found {describe(value)}"
        self.allowed = allowed
        self.document = document
        place = shorten(pointer, _PLACE_CHARACTERS) or "the top"
        super().__init__(f"{document}: at {place}: {self.problem}, allowed is {allowed}")


def has_breaking(changes: Iterable[Change]) -> bool:
    """Whether any of the changes breaks a client of the old document."""
    return any(change.severity is Severity.ERROR for change in changes)


def describe(value: object) -> str:
    """Name any Python value in a few words, however deep, cyclic or large it is."""
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case int() if value.bit_length() > _SHOWN_BITS:
            return "a number with too many digits"
        case None | bool() | int() | float() | str():
            return shorten(json.dumps(value))
        case _:
            return f"a value of type {type(value).__name__}"


def show(value: object) -> str:
    """Print a JSON value whose depth was checked, cut to one short line; None reads `none`."""
    return "none" if value is None else shorten(json.dumps(value, sort_keys=True))


def shorten(text: str, most: int = _SHOWN_CHARACTERS) -> str:
    """Cut a text to what one line can hold."""
    return text if len(text) <= most else text[: most - 1] + "…"
