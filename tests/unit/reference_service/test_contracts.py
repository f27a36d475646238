"""The published contracts are those of the service, so that a change of either is deliberate."""

import json

import pytest
from jsonschema import Draft202012Validator

from reference_service.contracts import CONTRACTS, published


@pytest.mark.parametrize("name", ["openapi.json", "manifest.schema.json"])
def test_published_contract_is_current(name):
    text = (CONTRACTS / name).read_text(encoding="utf-8")
    assert text == published()[name], "meant? python -m reference_service.contracts"


def test_committed_manifest_follows_its_published_schema(manifest):
    schema = json.loads((CONTRACTS / "manifest.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    assert validator.is_valid(manifest)
    assert not validator.is_valid(manifest | {"version": "1"})
    assert not validator.is_valid({name: value for name, value in manifest.items() if name != "sample"})
