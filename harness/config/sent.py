"""What of a suite is sent as it stands: refused when the suite is read, where no client could send it."""

import json
import re
from typing import Annotated, Any

from pydantic import AfterValidator

# RFC 9110, sections 5.1 and 5.5; bytes beyond ASCII mean something else to every server.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e]*")


def _method(method: str) -> str:
    if not _TOKEN.fullmatch(method):
        raise ValueError("must be the name of an HTTP method")
    return method


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a header")
        if not _FIELD_VALUE.fullmatch(value):
            raise ValueError(f"{name}: must be printable ASCII, in one line")
    return headers


def sendable_json(body: Any) -> Any:
    """``body``, if JSON can be written of it; raises ValueError else: nan, inf and dates are no JSON."""
    try:
        json.dumps(body, allow_nan=False)
    except TypeError as error:  # a date or a time, which TOML has
        raise ValueError(f"must be JSON: {error}") from error
    return body


Method = Annotated[str, AfterValidator(_method)]
Headers = Annotated[dict[str, str], AfterValidator(_headers)]
JsonBody = Annotated[Any, AfterValidator(sendable_json)]
