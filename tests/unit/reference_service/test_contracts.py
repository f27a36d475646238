"""The published contracts are those of the service, so that a change of either is deliberate."""

import importlib.util
import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[3]
CONTRACTS = ROOT / "contracts"


@pytest.fixture
def script():
    """scripts/contracts.py as a module."""
    spec = importlib.util.spec_from_file_location("contracts", ROOT / "scripts" / "contracts.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["openapi.json", "digits.openapi.json", "manifest.schema.json"])
def test_published_contract_is_current(script, name):
    text = (CONTRACTS / name).read_text(encoding="utf-8")
    assert text == script.published()[name], "meant? python scripts/contracts.py"


def test_published_contract_does_not_depend_on_the_environment(script, monkeypatch):
    before = script.published()
    monkeypatch.setenv("SERVICE_MAX_BATCH", "3")
    monkeypatch.setenv("SERVICE_ARTIFACT", "/nowhere")
    assert script.published() == before


def test_committed_manifest_follows_its_published_schema(manifest):
    schema = json.loads((CONTRACTS / "manifest.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    assert validator.is_valid(manifest)
    assert not validator.is_valid(manifest | {"version": "1"})
    assert not validator.is_valid({name: value for name, value in manifest.items() if name != "sample"})
