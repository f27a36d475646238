"""Write the published contracts of the reference service anew: its OpenAPI document, its manifest's schema.

Usage: ``contracts.py``. Made from the code and its defaults; no ``SERVICE_`` variable has a say.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from reference_service.app import create_app
from reference_service.model.manifest import Manifest
from reference_service.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"
ARTIFACT = ROOT / "reference_service" / "artifacts" / "breast-cancer"


def published() -> Mapping[str, str]:
    """Return the text of each file, by its name."""
    settings = Settings.model_construct(artifact=ARTIFACT)  # does not read the environment
    documents = {
        "openapi.json": create_app(settings).openapi(),
        "manifest.schema.json": Manifest.model_json_schema(),
    }
    return {name: json.dumps(document, indent=2) + "\n" for name, document in documents.items()}


if __name__ == "__main__":
    for name, text in published().items():
        (CONTRACTS / name).write_text(text, encoding="utf-8")
