"""The frozen OpenAPI document of a suite."""

from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.openapi import OpenAPIError, diff, operation_names, read_document

KEY = "contract.openapi"


def frozen_document(path: Path) -> dict[str, Any]:
    """The frozen document, sound in every place that a comparison reaches.

    Raises:
        ConfigError: it cannot be read, is not OpenAPI, or has no operation.
    """
    document = read_document(path)
    try:
        diff(document, document, names=(str(path), str(path)))
        operations = operation_names(document)
    except OpenAPIError as error:
        raise ConfigError(
            file=path, key=error.pointer, problem=error.problem, allowed=error.allowed
        ) from error
    if not operations:
        raise ConfigError(file=path, key="/paths", problem="no operation to compare", allowed="at least one")
    return document
