"""JSON values against the schemas of a document."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import jsonschema_rs

from harness.openapi.document import Document
from harness.openapi.model import OpenAPIError, shorten


class SchemaValidator:
    """Holds values against schemas of one document; nothing is fetched, whatever it refers to.

    OpenAPI 3.1 is JSON Schema 2020-12. 3.0 is draft 4 in what it has of it (``exclusiveMinimum``, siblings of
    ``$ref``), and ``nullable``, which is written out first.
    """

    def __init__(self, body: Mapping[str, Any], *, name: str = "document") -> None:
        """Take a document.

        Raises:
            OpenAPIError: it is not OpenAPI.
        """
        self._name = name
        self._is_3_0 = Document(body, name).ignores_ref_siblings
        self._root = _with_null_as_type(body) if self._is_3_0 else dict(body)
        self._root.pop("$schema", None)
        self._validators: dict[str, jsonschema_rs.Validator] = {}

    def problem(self, pointer: str, value: Any) -> str:
        """How ``value`` breaks the schema at ``pointer``, in one line; empty where it does not.

        Raises:
            OpenAPIError: there is no usable schema.
        """
        error = next(self._at(pointer).iter_errors(value), None)
        if error is None:
            return ""
        place = "".join(f"/{part}" for part in error.instance_path)
        return f"{shorten(error.message)} at {shorten(place) or 'the top'}"

    def _at(self, pointer: str) -> jsonschema_rs.Validator:
        if pointer not in self._validators:
            schema = {**self._root, "allOf": [{"$ref": f"#{quote(pointer)}"}]}
            kind = jsonschema_rs.Draft4Validator if self._is_3_0 else jsonschema_rs.Draft202012Validator
            try:
                self._validators[pointer] = kind(schema, offline=True)
            except (ValueError, jsonschema_rs.ReferencingError) as error:
                raise OpenAPIError(
                    pointer, shorten(str(error)), "a valid JSON Schema", document=self._name
                ) from None
        return self._validators[pointer]


def _with_null_as_type(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_null_as_type(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    plain = {key: _with_null_as_type(inner) for key, inner in value.items()}
    if plain.get("nullable") is not True:
        return plain
    del plain["nullable"]
    return {"anyOf": [plain, {"enum": [None]}]}
