"""Records the golden set: every row of the data with the answer of the training pipeline."""

import hashlib
import json
from pathlib import Path

from sklearn.pipeline import Pipeline

from reference_service.model.manifest import Manifest
from reference_service.pipeline import __version__
from reference_service.pipeline.artifact import sample_of
from reference_service.pipeline.data import Dataset

CASES_FILE = "cases.jsonl"


def write_golden(folder: Path, *, manifest: Manifest, dataset: Dataset, pipeline: Pipeline) -> int:
    """Write `cases.jsonl` and its header `golden.toml`.

    Expected values are the pipeline's own float64 probabilities at full precision, never a served model's.

    Returns:
        The number of cases.
    """
    cases = [
        sample_of(dataset, pipeline, row).model_dump(include={"input", "expected"})
        for row in range(len(dataset.labels))
    ]
    content = "".join(
        json.dumps({"id": f"row-{row:04d}", **case}, allow_nan=False) + "\n" for row, case in enumerate(cases)
    ).encode()
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
count = {len(cases)}
"""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CASES_FILE).write_bytes(content)
    (folder / "golden.toml").write_text(header, encoding="utf-8")
    return len(cases)
