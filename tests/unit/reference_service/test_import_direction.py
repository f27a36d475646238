"""The packages of the service import in one direction, so that each can be read without those above it."""

import ast
from pathlib import Path

import pytest

import reference_service

PACKAGE = Path(reference_service.__file__).parent
LAYERS = (
    {"__init__", "documents", "errors", "healthcheck", "location", "prediction", "problems", "redis_url"},
    {"settings"},
    {"environment", "telemetry"},
    {"access", "model"},
    {"api"},
    {"app"},
    {"server"},
    {"__main__"},
    {"pipeline"},
)
"""Lowest first: each imports itself and what is lower."""
ALSO_REFUSED = {"pipeline": {"access", "api", "app", "server", "settings", "__main__"}}
"""The pipeline is no part of the running service: it takes the documents and the tensors only."""


def layer_of(name: str) -> int:
    return next(rank for rank, layer in enumerate(LAYERS) if name in layer)


def refused_imports(importer: str, source: str) -> list[str]:
    """List the imports that point upwards or sideways; `importer` is a module's first name in the package."""
    refused = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
            if node.module == "reference_service":
                modules = [f"reference_service.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        else:
            continue
        for module in modules:
            name = module.removeprefix("reference_service.")
            first = name.split(".")[0]
            if name == module or first in {importer, "__version__"}:
                continue
            if layer_of(first) >= layer_of(importer) or first in ALSO_REFUSED.get(importer, ()):
                refused.append(f"{importer} imports {name}")
    return refused


def test_every_import_points_downwards() -> None:
    refused = []
    for path in sorted(PACKAGE.rglob("*.py")):
        importer = path.relative_to(PACKAGE).with_suffix("").parts[0]
        refused += refused_imports(importer, path.read_text(encoding="utf-8"))
    assert refused == []


@pytest.mark.parametrize(
    ("importer", "line"),
    [
        ("access", "from reference_service.api.errors import error_response"),
        ("telemetry", "import reference_service.model.manifest"),
        ("model", "from reference_service import access"),
        ("model", "def late():\n    from reference_service.api.schema import BatchResponse"),
        ("api", "from reference_service.pipeline.data import digest"),
        ("pipeline", "from reference_service.settings import Settings"),
    ],
)
def test_an_import_upwards_is_found(importer: str, line: str) -> None:
    assert len(refused_imports(importer, line)) == 1
