"""The published schemas are those of the code, so that a change of either is deliberate."""

import json
from pathlib import Path

import pytest

from harness.cli.schema import Document, schema_of

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"


@pytest.mark.parametrize("document", Document)
def test_published_schema_is_current(document):
    path = CONTRACTS / f"{document.value}.schema.json"
    current = json.dumps(schema_of(document), indent=2) + "\n"
    assert path.read_text(encoding="utf-8") == current, f"harness schema {document.value} > {path}"
