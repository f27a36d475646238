"""``${name}`` in the strings and JSON bodies of a suite."""

import re
from collections.abc import Mapping
from typing import Any

PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")


class TemplateError(ValueError):
    """A placeholder that nothing fills."""

    def __init__(self, name: str, known: Mapping[str, Any]) -> None:
        super().__init__(f"no value for ${{{name}}}; known: {', '.join(sorted(known)) or 'none'}")


def fill(text: str, values: Mapping[str, Any]) -> str:
    """``text`` with every ``${name}`` replaced by ``str(values[name])``.

    Raises:
        TemplateError: naming the placeholder and those that would do.
    """

    def replace(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in values:
            raise TemplateError(name, values)
        return str(values[name])

    return PLACEHOLDER.sub(replace, text)


def fill_json(template: Any, values: Mapping[str, Any]) -> Any:
    """A JSON template filled: a string that is one placeholder becomes the value itself, whatever its type.

    Raises:
        TemplateError: as :func:`fill`.
    """
    match template:
        case str():
            whole = PLACEHOLDER.fullmatch(template)
            if whole is not None and whole.group(1) in values:
                return values[whole.group(1)]
            return fill(template, values)
        case dict():
            return {fill(key, values): fill_json(value, values) for key, value in template.items()}
        case list() | tuple():
            return [fill_json(value, values) for value in template]
        case _:
            return template
