"""Records what a service has to say of a model: its manifest, vouched for by the pipeline that wrote it."""

import json

from reference_service.model.manifest import Manifest
from reference_service.pipeline import __version__


def recorded_metadata(manifest: Manifest) -> str:
    """Return what the service has to say of the model, as a golden document."""
    libraries = ", ".join(f"{name} {version}" for name, version in manifest.training.libraries.items())
    producer = {
        "name": "reference_service.pipeline",
        "version": __version__,
        "kind": "pipeline",
        "date": str(manifest.created),
        "environment": libraries,
    }
    document = {"schema_version": 1, "producer": producer, "document": manifest.model_dump(mode="json")}
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
