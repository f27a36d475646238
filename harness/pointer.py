"""JSON pointers (RFC 6901) over parsed JSON."""

import copy
import re
from typing import Any

_INDEX = re.compile(r"[0-9]{1,18}")


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
        elif isinstance(value, list) and _INDEX.fullmatch(token) and int(token) < len(value):
            value = value[int(token)]
        else:
            raise PointerError(f"nothing at {pointer!r} (no {token!r})")
    return value


def without(document: Any, pointer: str) -> Any:
    """A copy of ``document`` without the member at ``pointer``; the same where it has none.

    An item of an array becomes null, so that the others keep their places.
    """
    parent, _, last = pointer.rpartition("/")
    try:
        resolve(document, pointer)
    except PointerError:
        return document
    if not pointer:
        return None
    copied = copy.deepcopy(document)
    holder = resolve(copied, parent)
    if isinstance(holder, list):
        holder[int(last)] = None
    else:
        del holder[last.replace("~1", "/").replace("~0", "~")]
    return copied
