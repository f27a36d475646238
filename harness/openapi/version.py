"""The version that a document gives its API (``info.version``)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.openapi.model import shorten

_MAJOR = re.compile(r"v?(\d{1,9})([.+-].*)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Version:
    """A version as written, None where there is none.

    Attributes:
        major: Its first number, MAJOR of semantic versioning; None where it begins otherwise.
    """

    text: str | None
    major: int | None


def api_version(document: Mapping[str, Any]) -> Version:
    """What ``info.version`` says; a document of any other layout has no version."""
    info = document.get("info")
    text = info.get("version") if isinstance(info, dict) else None
    if not isinstance(text, str):
        return Version(None, None)
    found = _MAJOR.fullmatch(text)
    return Version(shorten(text), int(found[1]) if found else None)
