"""A file of recorded requests: one JSON object a line, without any credential."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from harness.config.problems import config_error
from harness.config.section import Section
from harness.config.service import UrlPath
from harness.errors import ConfigError
from harness.http_request import Request

JSON = "application/json"


def _base64(text: str) -> str:
    base64.b64decode(text, validate=True)
    return text


def sendable(text: str) -> bool:
    """Whether a header can have this value."""
    return text.isascii() and text.isprintable()


def _header_text(text: str) -> str:
    if not sendable(text):
        raise ValueError("must be printable ASCII, in one line")
    return text


class RecordedRequest(Section):
    """One line of a recording.

    Attributes:
        path: With the query, if that was recorded.
        content_type: Of the body; none without one.
        body: The JSON of the body.
        body_base64: The bytes of a body that is not JSON, in its place.
    """

    method: Annotated[str, Field(pattern=r"^[A-Z]+$")] = "POST"
    path: UrlPath
    content_type: Annotated[str, AfterValidator(_header_text)] | None = None
    body: Any = None
    body_base64: Annotated[str, AfterValidator(_base64)] | None = None

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if "body" in self.model_fields_set and self.body_base64 is not None:
            raise ValueError("has body and body_base64, one of them is meant")
        return self

    def content(self) -> bytes | None:
        """The body's bytes; JSON is written anew, without blanks."""
        if "body" in self.model_fields_set:
            return json.dumps(self.body, separators=(",", ":")).encode()
        return None if self.body_base64 is None else base64.b64decode(self.body_base64)

    def request(self, credential: dict[str, str]) -> Request:
        """The request, with the headers of a credential: a recording has none."""
        headers = {"Accept": JSON, **credential}
        content = self.content()
        if content is not None:
            headers["Content-Type"] = self.content_type or JSON
        return Request(self.method, self.path, headers, content)

    def line(self) -> str:
        """Its line in a recording, without the line's end."""
        document = self.model_dump(exclude_unset=True)
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def read_recording(path: Path) -> Iterator[RecordedRequest]:
    """Read a recording, line by line.

    Raises:
        ConfigError: naming the line that is wrong.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                yield _parsed(line, path, number)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            file=path, problem=f"cannot be read: {error}", allowed="JSON lines in UTF-8"
        ) from error


def _refuse_constant(token: str) -> None:
    raise ValueError(f"{token} is not JSON")


def _parsed(line: str, path: Path, number: int) -> RecordedRequest:
    key = f"line {number}"
    try:
        document = json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            file=path, key=key, problem=f"not JSON: {error}", allowed="one JSON object a line"
        ) from error
    try:
        return RecordedRequest.model_validate(document)
    except ValidationError as error:
        raise config_error(error, RecordedRequest, path, key=key) from error
