"""Where an artifact may be: a folder of this machine, or a prefix in a store."""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import PlainValidator

SCHEMES = ("s3", "gs", "gcs", "file", "http", "https")


def parse_location(value: object) -> Path | str:
    """Return a URL without its last slash, or the path of a folder.

    Raises:
        ValueError: The URL is of no known store, or holds what may be a secret; the message holds neither.
    """
    if isinstance(value, Path) or "://" not in str(value):
        return Path(str(value))
    url = urlsplit(str(value))
    if url.scheme not in SCHEMES:
        raise ValueError(f"a URL must start with one of {', '.join(SCHEMES)}, then ://")
    if re.search(r"[@?#]|::", str(value)):
        raise ValueError(
            "a URL may hold no credentials, query or fragment; stores take credentials otherwise"
        )
    return str(value).rstrip("/")


Location = Annotated[Path | str, PlainValidator(parse_location)]
"""A folder, or the URL of a prefix in a store that fsspec reads."""
