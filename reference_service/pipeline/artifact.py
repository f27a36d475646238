"""Assembles the artifact folder: model, data audit, baseline of drift, and the manifest that hashes them."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reference_service.model.inputs import FeaturesInput, TensorInput
from reference_service.model.manifest import (
    Expected,
    LabelTensor,
    Manifest,
    Outputs,
    ProbabilityTensor,
    Sample,
)
from reference_service.model.provenance import Criterion, Training
from reference_service.model.provenance import Dataset as DatasetRecord
from reference_service.model.tensors import summarise
from reference_service.pipeline.baseline import baseline_of
from reference_service.pipeline.data import Split
from reference_service.pipeline.declaration import Declaration
from reference_service.pipeline.parity import ATOL, ask, has_label
from reference_service.pipeline.recipe import LABEL, PROBABILITIES, Answers, Dataset, Recipe

MODEL_FILE, BASELINE_FILE, AUDIT_FILE = "model.onnx", "baseline.json", "data_audit.json"


@dataclass(frozen=True, kw_only=True)
class Build:
    """A model that was accepted, and everything it was made of."""

    recipe: Recipe
    declaration: Declaration
    created: date
    dataset: Dataset
    split: Split
    audit: dict[str, object]
    input: FeaturesInput | TensorInput
    classes: tuple[str, ...]
    answers: Answers
    acceptance: tuple[Criterion, ...]
    model: bytes

    def expected(self, row: int) -> Expected:
        """Return what the trained model answers for a row."""
        return Expected(
            label=str(self.answers.labels[row]),
            probabilities=dict(zip(self.classes, self.answers.probabilities[row].tolist(), strict=True)),
        )


def write_artifact(folder: Path, build: Build) -> Manifest:
    """Write model, audit, baseline and manifest; equal inputs give equal bytes."""
    training = build.dataset.values[build.split.training]
    baseline = baseline_of(
        [feature.name for feature in build.input.observed],
        _observed(training, build.input),
        ask(build.model, training, build.input.dtype, build.classes).labels,
        build.classes,
    )
    contents = {
        MODEL_FILE: build.model,
        BASELINE_FILE: _json_bytes(baseline.model_dump(mode="json")),
        AUDIT_FILE: _json_bytes(build.audit),
    }
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(contents.items())}
    manifest = _manifest(build, digests)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "manifest.json").write_bytes(_json_bytes(manifest.model_dump(mode="json")))
    return manifest


def _manifest(build: Build, digests: dict[str, str]) -> Manifest:
    """Say everything of the artifact."""
    identity = build.declaration.model
    first = int(build.split.training[0])
    return Manifest(
        schema_version=1,
        name=identity.name,
        version=identity.version,
        description=identity.description,
        created=build.created,
        model_file=MODEL_FILE,
        baseline_file=BASELINE_FILE,
        files=digests,
        input=build.input,
        outputs=Outputs(
            label=LabelTensor(name=LABEL, dtype="string", shape=("batch",), meaning="the most probable class")
            if has_label(build.model)
            else None,
            probabilities=ProbabilityTensor(
                name=PROBABILITIES,
                dtype="float32",
                shape=("batch", len(build.classes)),
                classes=build.classes,
                meaning="probability of each class; they sum to 1",
                unit="probability, 0 to 1",
            ),
        ),
        preprocessing=build.recipe.preprocessing,
        sample=Sample(
            input=build.recipe.encode(build.dataset, first, compact=True),
            expected=build.expected(first),
            atol=ATOL,
        ),
        serving=build.declaration.serving,
        budget=build.declaration.budget,
        dataset=DatasetRecord(
            name=build.dataset.name,
            source=build.dataset.source,
            sha256=build.dataset.digest,
            rows=len(build.dataset.labels),
            training_rows=len(build.split.training),
            evaluation_rows=len(build.split.evaluation),
        ),
        acceptance=build.acceptance,
        training=Training(
            algorithm=build.recipe.algorithm,
            seed=identity.seed,
            parameters=dict(build.declaration.parameters),
            libraries=build.recipe.libraries,
        ),
    )


def _observed(values: NDArray[np.generic], declared: FeaturesInput | TensorInput) -> NDArray[np.float32]:
    """Return what the service compares with training."""
    return summarise(values) if isinstance(declared, TensorInput) else values.astype(np.float32)


def _json_bytes(content: object) -> bytes:
    """Serialise for people and for hashing: indented, UTF-8, newline at the end."""
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
