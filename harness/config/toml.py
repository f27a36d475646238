"""TOML read with suspicion: what later steps could not bear is refused here, with its place."""

import tomllib
from collections.abc import Iterator
from typing import Any

from harness.errors import ConfigError

MOST_LEVELS = 64
INTEGERS = range(-(2**63), 2**63)
"""What TOML asks a reader to accept; Python would read more, and then refuse to write it."""


def parse_toml(text: str, file: object) -> dict[str, Any]:
    """The document in ``text``.

    Args:
        text: Of the file.
        file: As the user named it.

    Raises:
        ConfigError: it is not TOML, an integer has more than 64 bits, or it is nested more than 64 levels.
    """
    try:
        document = tomllib.loads(text)
    except (
        ValueError,
        RecursionError,
    ) as error:  # not only TOMLDecodeError: an integer may have too many digits
        raise ConfigError(file=file, problem=f"not TOML: {error}") from error
    level: list[tuple[str, Any]] = [("", document)]
    for _ in range(MOST_LEVELS):
        level = [child for key, value in level for child in _children(key, value)]
        for key, value in level:
            if isinstance(value, int) and value not in INTEGERS:
                raise ConfigError(
                    file=file, key=key, problem="an integer beyond 64 bits", allowed="-2^63 to 2^63 - 1"
                )
    if level:
        raise ConfigError(file=file, key=level[0][0], problem=f"nested more than {MOST_LEVELS} levels")
    return document


def _children(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    named: dict[Any, Any] = {}
    if isinstance(value, dict):
        named = value
    elif isinstance(value, list):
        named = dict(enumerate(value))
    for name, item in named.items():
        yield (f"{key}.{name}" if key else name), item
