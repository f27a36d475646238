"""`python -m reference_service.contracts`: writes the published contracts of service and manifest anew."""

import json
from collections.abc import Mapping
from pathlib import Path

from reference_service.app import create_app
from reference_service.manifest import Manifest
from reference_service.settings import Settings

CONTRACTS = Path(__file__).parents[1] / "contracts"


def published() -> Mapping[str, str]:
    """Return the text of each file, by its name: the OpenAPI document and the manifest's JSON Schema."""
    documents = {
        "openapi.json": create_app(Settings()).openapi(),
        "manifest.schema.json": Manifest.model_json_schema(),
    }
    return {name: json.dumps(document, indent=2) + "\n" for name, document in documents.items()}


if __name__ == "__main__":
    for name, text in published().items():
        (CONTRACTS / name).write_text(text, encoding="utf-8")
