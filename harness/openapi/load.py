"""Reads an OpenAPI document from JSON or YAML."""

import json
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # ships no types

from harness.errors import ConfigError
from harness.openapi.document import MAX_VALUES
from harness.openapi.model import OpenAPIError

MAX_BYTES = 8 * 1024 * 1024
"""Largest document that is read."""


_NOT_JSON = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value")
_BOOL = "tag:yaml.org,2002:bool"


class _JsonLoader(yaml.SafeLoader):  # type: ignore[misc]  # its base has no types
    """YAML as OpenAPI means it: only JSON's types, so neither dates nor `yes` and `no`."""

    _merged = 0

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Merge what `<<` names, as far as that is bounded: merges of merges grow as a power of the lines."""
        super().flatten_mapping(node)
        self._merged += len(node.value)
        if self._merged > MAX_VALUES:
            raise yaml.YAMLError(f"at most {MAX_VALUES} keys, counting those that << repeats")


_JsonLoader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in _NOT_JSON and not (tag == _BOOL and first not in "tTfF")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_document(path: Path) -> dict[str, Any]:
    """Read a document; a file that does not end in `.json` may be YAML.

    Raises:
        ConfigError: the file cannot be read, is too large, or is neither JSON nor YAML.
        OpenAPIError: it holds something other than an object.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(file=path, problem=f"cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise ConfigError(file=path, problem="too large", allowed=f"at most {MAX_BYTES} bytes")
    try:
        document = parse_json(content) if path.suffix == ".json" else _parse_yaml(content)
    except ValueError as error:
        kind = "JSON" if path.suffix == ".json" else "JSON or YAML"
        raise ConfigError(file=path, problem=f"not {kind}: {error}") from error
    if not isinstance(document, dict):
        raise OpenAPIError("", document, "an object with the keys openapi and paths", document=str(path))
    return document


def parse_json(content: bytes) -> Any:
    """Parse JSON from anywhere, however hostile.

    Raises:
        ValueError: it is not JSON, or nested too deep for the parser.
    """
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _parse_yaml(content: bytes) -> Any:
    try:
        return _with_text_keys(yaml.load(content, Loader=_JsonLoader))  # noqa: S506 - derives from SafeLoader
    except (yaml.YAMLError, LookupError, AttributeError, ArithmeticError, TypeError) as error:
        # An explicit tag on a value of another kind makes the parser fail in these other ways.
        raise ValueError(" ".join(str(error).split())) from None
    except RecursionError:
        raise ValueError("nested too deep") from None


def _with_text_keys(value: Any) -> Any:
    """Write unquoted keys such as the status 200 as texts, once for each object that aliases share."""
    done: set[int] = set()
    pending = [value]
    while pending:
        part = pending.pop()
        if not isinstance(part, dict | list) or id(part) in done:
            continue
        done.add(id(part))
        if isinstance(part, dict):
            for key in [key for key in part if isinstance(key, int | float | bool)]:
                part[json.dumps(key)] = part.pop(key)
            pending.extend(part.values())
        else:
            pending.extend(part)
    return value
