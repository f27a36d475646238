"""Turns pydantic's validation errors into what a person can act on."""

import difflib
import re
from collections.abc import Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness.errors import ConfigError, shown

MOST_SHOWN = 10
QUOTED = re.compile(r"'([^']+)'")


def config_error(
    error: ValidationError, model: type[BaseModel], file: object, *, key: str = ""
) -> ConfigError:
    """One :class:`ConfigError` for the first problem; its text lists the further ones.

    Args:
        error: What pydantic found.
        model: The model that was validated, to name the keys it allows.
        file: The file as the user named it.
        key: Dotted prefix, for a part of the file.
    """
    # A misspelt required key is unknown and missing; only the former tells what was meant.
    first, *rest = sorted(
        error.errors(include_url=False), key=lambda problem: problem["type"] != "extra_forbidden"
    )
    also = [f"{_key(key, other['loc'])}: {_problem(other)} (got {shown(other['input'])})" for other in rest]
    if len(also) > MOST_SHOWN:
        also = [*also[:MOST_SHOWN], f"{len(also) - MOST_SHOWN} more"]
    return ConfigError(
        file=file,
        key=_key(key, first["loc"]),
        value=None if first["type"] == "missing" else first["input"],
        problem=_problem(first),
        allowed=", ".join(_allowed_keys(first, model)),
        meant=_meant(first, model),
        also=also,
    )


def _key(prefix: str, loc: Sequence[int | str]) -> str:
    return ".".join([*([prefix] if prefix else []), *(str(part) for part in loc)])


def _problem(detail: ErrorDetails) -> str:
    match detail["type"]:
        case "extra_forbidden":
            return "unknown key"
        case "missing":
            return "required key is missing"
        case _:
            return detail["msg"][0].lower() + detail["msg"][1:]


def _allowed_keys(detail: ErrorDetails, model: type[BaseModel]) -> list[str]:
    """The keys that an unknown one could have been."""
    if detail["type"] != "extra_forbidden":
        return []
    owner = _model_at(model, detail["loc"][:-1])
    return [] if owner is None else list(owner.model_fields)


def _meant(detail: ErrorDetails, model: type[BaseModel]) -> str:
    """The nearest key for an unknown one, the nearest value for one that is not of an enumeration."""
    match detail["type"]:
        case "extra_forbidden":
            given, known = detail["loc"][-1], _allowed_keys(detail, model)
        case "enum" | "literal_error":
            # The message lists the values in full; only here they come as one quoted text.
            given, known = detail["input"], QUOTED.findall(detail["ctx"]["expected"])
        case _:
            return ""
    return next(iter(difflib.get_close_matches(str(given), known, n=1)), "")


def _model_at(annotation: Any, loc: Sequence[int | str]) -> type[BaseModel] | None:
    """The model that owns the keys at ``loc``, through containers and unions."""
    if get_origin(annotation) in (Union, UnionType):
        found = (_model_at(option, loc) for option in get_args(annotation))
        return next((model for model in found if model is not None), None)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not loc:
            return annotation
        field = annotation.model_fields.get(str(loc[0]))
        return None if field is None else _model_at(field.annotation, loc[1:])
    if loc and get_origin(annotation) in (dict, list, tuple, frozenset):
        arguments = [argument for argument in get_args(annotation) if argument is not Ellipsis]
        return _model_at(arguments[-1], loc[1:]) if arguments else None
    return None
