"""JSON pointers (RFC 6901) over parsed JSON."""

from typing import Any


class PointerError(LookupError):
    """The document has nothing at the pointer."""


def resolve(document: Any, pointer: str) -> Any:
    """The value at ``pointer``.

    Raises:
        PointerError: when there is none.
    """
    value = document
    for raw in pointer.split("/")[1:]:
        token = raw.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and token in value:
            value = value[token]
        elif isinstance(value, list) and token.isascii() and token.isdecimal() and int(token) < len(value):
            value = value[int(token)]
        else:
            raise PointerError(f"nothing at {pointer!r} (no {token!r})")
    return value
