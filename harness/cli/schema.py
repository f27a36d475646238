"""``harness schema``: print JSON Schemas."""

import json
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer

from harness.checks.scenarios.scenario import scenario_schema
from harness.config.suite import GateConfig
from harness.reports.schema import report_schema
from harness.selftest.document import selftest_schema


class Document(StrEnum):
    """What has a schema."""

    GATE = "gate"
    SCENARIO = "scenario"
    REPORT = "report"
    SELFTEST = "selftest"


def schema_of(document: Document) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of one kind of file."""
    match document:
        case Document.GATE:
            return GateConfig.model_json_schema()
        case Document.SCENARIO:
            return scenario_schema()
        case Document.REPORT:
            return report_schema()
        case Document.SELFTEST:
            return selftest_schema()


def schema(document: Annotated[Document, typer.Argument(help="Which file's schema.")]) -> None:
    """Print the JSON Schema of gate.toml, of a scenario file, of a report or of a selftest.

    Example: harness schema gate > gate.schema.json
    """
    sys.stdout.write(json.dumps(schema_of(document), indent=2) + "\n")
