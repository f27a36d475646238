"""The JSON Schema of a report, from its model."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from harness.model import SCHEMA_VERSION, Report


class _EveryKeyRequired(GenerateJsonSchema):
    """A report on disk always has every key; a default only spares whoever builds one in memory."""

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,  # noqa: ARG002 - the base's signature
        total: bool,  # noqa: ARG002 - the base's signature
    ) -> bool:
        return True


def report_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of ``reports/<run_id>.json``; ``contracts/report.schema.json`` holds it."""
    schema = Report.model_json_schema(mode="serialization", schema_generator=_EveryKeyRequired)
    version = {"const": SCHEMA_VERSION, "title": "Schema Version", "type": "string"}
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        **schema,
        "properties": {**schema["properties"], "schema_version": version},
    }
