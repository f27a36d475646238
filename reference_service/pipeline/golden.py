"""Records the golden set: rows of the data with the answers of the trained model."""

import hashlib
import json
from pathlib import Path

from reference_service.model.manifest import Manifest
from reference_service.pipeline import __version__
from reference_service.pipeline.artifact import Build
from reference_service.pipeline.metadata import recorded_metadata

CASES_FILE = "cases.jsonl"
METADATA_FILE = "metadata.json"
LABELLED_FILE = "labelled.jsonl"


def write_golden(folder: Path, build: Build, manifest: Manifest) -> int:
    """Write `cases.jsonl`, its header `golden.toml`, `metadata.json`, and `labelled.jsonl`.

    Expected values are the trained model's own at full precision, never a served model's. Every second case
    is written compactly, so that each form an input may have is asked. The true labels are those of the rows
    that the model was not trained on.

    Returns:
        The number of cases.
    """
    every_row = range(len(build.dataset.labels))
    rows = every_row if build.declaration.golden.rows == "all" else build.split.evaluation.tolist()
    content = "".join(_line(build, row, compact=bool(number % 2)) for number, row in enumerate(rows)).encode()
    libraries = ", ".join(f"{name} {version}" for name, version in manifest.training.libraries.items())
    header = f"""\
schema_version = 1

[producer]
name = "reference_service.pipeline"
version = "{__version__}"
kind = "pipeline"
date = "{manifest.created}"
environment = "{libraries}"

[model]
name = "{manifest.name}"
version = "{manifest.version}"
sha256 = "{manifest.files[manifest.model_file]}"

[dataset]
name = "{manifest.dataset.name}"
sha256 = "{manifest.dataset.sha256}"

[cases]
file = "{CASES_FILE}"
sha256 = "{hashlib.sha256(content).hexdigest()}"
count = {len(rows)}
"""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CASES_FILE).write_bytes(content)
    (folder / "golden.toml").write_text(header, encoding="utf-8")
    (folder / METADATA_FILE).write_text(recorded_metadata(manifest), encoding="utf-8")
    labelled = "".join(
        json.dumps({"id": _name(row), "label": str(build.dataset.labels[row])}) + "\n"
        for row in sorted(build.split.evaluation.tolist())
    )
    (folder / LABELLED_FILE).write_text(labelled, encoding="utf-8")
    return len(rows)


def _name(row: int) -> str:
    return f"row-{row:04d}"


def _line(build: Build, row: int, *, compact: bool) -> str:
    """Write one case."""
    case = {
        "id": _name(row),
        "input": build.recipe.encode(build.dataset, row, compact=compact),
        "expected": build.expected(row).model_dump(),
    }
    return json.dumps(case, allow_nan=False) + "\n"
