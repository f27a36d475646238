"""Assembles the artifact folder: the model, the data audit, and the manifest that hashes both."""

import hashlib
import json
import platform
from datetime import date
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import skl2onnx
import sklearn
from sklearn.pipeline import Pipeline

from reference_service.model.manifest import (
    Criterion,
    Expected,
    Feature,
    FeaturesInput,
    LabelTensor,
    Manifest,
    Outputs,
    ProbabilityTensor,
    Sample,
    Training,
)
from reference_service.model.manifest import Dataset as DatasetRecord
from reference_service.pipeline import export
from reference_service.pipeline.baseline import baseline_of
from reference_service.pipeline.data import Dataset, Split
from reference_service.pipeline.declaration import Declaration, DeclarationError, Measurement
from reference_service.pipeline.training import as_float32

MODEL_FILE, BASELINE_FILE = "model.onnx", "baseline.json"
STATISTICS = {"mean": "mean", "error": "standard error", "worst": "mean of the three largest"}


def write_artifact(
    folder: Path,
    *,
    declaration: Declaration,
    created: date,
    dataset: Dataset,
    split: Split,
    pipeline: Pipeline,
    model: bytes,
    audit: dict[str, object],
    acceptance: tuple[Criterion, ...],
) -> Manifest:
    """Write `model.onnx`, `data_audit.json` and `manifest.json`; equal inputs give equal bytes."""
    identity = declaration.model
    classes = tuple(str(name) for name in pipeline.classes_)
    training = as_float32(dataset.values[split.training])
    baseline = baseline_of(dataset.names, training, export.answers(model, training), classes)
    contents = {
        MODEL_FILE: model,
        BASELINE_FILE: _json_bytes(baseline.model_dump(mode="json")),
        "data_audit.json": _json_bytes(audit),
    }
    manifest = Manifest(
        schema_version=1,
        name=identity.name,
        version=identity.version,
        description=identity.description,
        created=created,
        model_file=MODEL_FILE,
        baseline_file=BASELINE_FILE,
        files={name: hashlib.sha256(content).hexdigest() for name, content in sorted(contents.items())},
        input=FeaturesInput(
            kind="features",
            name=export.INPUT,
            dtype="float32",
            shape=("batch", len(dataset.names)),
            features=_features(dataset, split, declaration.measurements),
        ),
        outputs=Outputs(
            label=LabelTensor(
                name=export.LABEL, dtype="string", shape=("batch",), meaning="the more probable class"
            ),
            probabilities=ProbabilityTensor(
                name=export.PROBABILITIES,
                dtype="float32",
                shape=("batch", len(classes)),
                classes=classes,
                meaning="probability of each class; they sum to 1",
                unit="probability, 0 to 1",
            ),
        ),
        preprocessing=(
            "each value is rounded to the nearest float32",
            "standardisation is folded into the split thresholds: the model takes unscaled values",
        ),
        sample=sample_of(dataset, pipeline, int(split.training[0])),
        budget=declaration.budget,
        dataset=DatasetRecord(
            name="breast-cancer-wisconsin-diagnostic",
            source="scikit-learn, load_breast_cancer",
            sha256=dataset.sha256,
            rows=len(dataset.labels),
            training_rows=len(split.training),
            evaluation_rows=len(split.evaluation),
        ),
        acceptance=acceptance,
        training=Training(
            algorithm="StandardScaler, GradientBoostingClassifier",
            seed=identity.seed,
            parameters=dict(declaration.parameters),
            libraries=library_versions(),
        ),
    )
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "manifest.json").write_bytes(_json_bytes(manifest.model_dump(mode="json")))
    return manifest


def sample_of(dataset: Dataset, pipeline: Pipeline, row: int) -> Sample:
    """Ask the pipeline for one row: its named values, label and float64 probabilities."""
    values = dataset.values[row : row + 1]
    probabilities = pipeline.predict_proba(values)[0]
    return Sample(
        input={name: float(value) for name, value in zip(dataset.names, values[0], strict=True)},
        expected=Expected(
            label=str(pipeline.predict(values)[0]),
            probabilities={
                str(name): float(value) for name, value in zip(pipeline.classes_, probabilities, strict=True)
            },
        ),
        atol=export.ATOL,
    )


def library_versions() -> dict[str, str]:
    """Name what the model was made with."""
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        "numpy": np.__version__,
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
        "scikit-learn": sklearn.__version__,
        "skl2onnx": skl2onnx.__version__,
    }


def _features(dataset: Dataset, split: Split, measurements: dict[str, Measurement]) -> tuple[Feature, ...]:
    """Describe each column; its range is that of the training rows, as the model saw them (float32)."""
    training = as_float32(dataset.values[split.training])
    features = []
    for column, name in enumerate(dataset.names):
        statistic = next(word for word in STATISTICS if word in name.split("_"))
        quantity = name.removeprefix(f"{statistic}_").removesuffix(f"_{statistic}")
        if quantity not in measurements:
            raise DeclarationError(f"measurements: nothing says what {quantity} means")
        described = measurements[quantity]
        features.append(
            Feature(
                name=name,
                meaning=f"{described.meaning}; {STATISTICS[statistic]} over the nuclei of one image",
                unit=described.unit,
                training_min=float(training[:, column].min()),
                training_max=float(training[:, column].max()),
            )
        )
    return tuple(features)


def _json_bytes(content: object) -> bytes:
    """Serialise for people and for hashing: indented, UTF-8, newline at the end."""
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
