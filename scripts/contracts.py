"""Write the published contracts of the reference service anew: OpenAPI documents, and the manifests' schema.

Usage: ``contracts.py``. Each artifact that ships has a document of its own. Made from the code and its
defaults; no ``SERVICE_`` variable has a say.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reference_service.app import create_app
from reference_service.model.manifest import Manifest
from reference_service.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"
ARTIFACTS = ROOT / "reference_service" / "artifacts"


def published() -> Mapping[str, str]:
    """Return the text of each file, by its name."""
    documents = {
        "openapi.json": openapi("breast-cancer"),
        "digits.openapi.json": openapi("digits"),
        "manifest.schema.json": Manifest.model_json_schema(),
    }
    return {name: json.dumps(document, indent=2) + "\n" for name, document in documents.items()}


def openapi(artifact: str) -> dict[str, Any]:
    """Return the document of a service of one artifact."""
    settings = Settings.model_construct(artifact=ARTIFACTS / artifact)  # does not read the environment
    return create_app(settings).openapi()


if __name__ == "__main__":
    for name, text in published().items():
        (CONTRACTS / name).write_text(text, encoding="utf-8")
