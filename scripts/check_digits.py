"""Writes the artifact and the golden set of a model for whole numbers: are a reference's check digits right?

A reference has up to 18 digits, the last two of them check digits (ISO 7064, MOD 97-10). Most here are beyond
2**53: a service that takes them through a double answers for other ones. Nothing is trained, and each run
gives the same bytes.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from reference_service.model.inputs import Feature, TensorInput
from reference_service.model.manifest import Budget, Expected, Manifest, Outputs, ProbabilityTensor, Sample
from reference_service.model.provenance import Criterion, Dataset, Training
from reference_service.model.tensors import encode

ROOT = Path(__file__).resolve().parent.parent
NAME, VERSION, DATE = "check-digits", "1.0.0", dt.date(2026, 11, 22)
SEED = 20261122
MODULUS, REMAINDER = 97, 1
CLASSES = ("wrong", "right")
LARGEST = 10**18 - 1
BELOW, BEYOND = 16, 32
"""How many right references a double can hold, and how many are so long that it cannot hold all."""


def references() -> Iterator[int]:
    """Right ones, each followed by its neighbour, which is wrong."""
    generator = np.random.default_rng(SEED)
    short = generator.integers(1, 10**13, size=BELOW).tolist()
    long = generator.integers(10**14, 10**16, size=BEYOND).tolist()
    for body in (*short, *long):
        right = body * 100 + 98 - body * 100 % MODULUS
        yield from (right, right + 1)


def expected(reference: int) -> Expected:
    """By Python's integers, which have no largest."""
    right = reference % MODULUS == REMAINDER
    return Expected(label=CLASSES[right], probabilities={"wrong": float(not right), "right": float(right)})


def model() -> bytes:
    """The remainder of the division, as two probabilities."""
    constants = [
        helper.make_tensor("modulus", TensorProto.INT64, [], [MODULUS]),
        helper.make_tensor("remainder", TensorProto.INT64, [], [REMAINDER]),
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        helper.make_tensor("certain", TensorProto.FLOAT, [2, 2], [1, 0, 0, 1]),
    ]
    nodes = [
        helper.make_node("Mod", ["reference", "modulus"], ["left"]),
        helper.make_node("Equal", ["left", "remainder"], ["right"]),
        helper.make_node("Cast", ["right"], ["column"], to=TensorProto.INT64),
        helper.make_node("Squeeze", ["column", "axis"], ["class"]),
        helper.make_node("Gather", ["certain", "class"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes,
        NAME,
        [helper.make_tensor_value_info("reference", TensorProto.INT64, ["batch", 1])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 2])],
        constants,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return bytes(made.SerializeToString(deterministic=True))


def manifest(content: bytes, rows: list[int]) -> Manifest:
    """What the artifact says of itself."""
    sample = rows[-2]
    span = {"training_min": float(min(rows)), "training_max": float(max(rows))}
    return Manifest(
        schema_version=1,
        name=NAME,
        version=VERSION,
        description="Tells whether the check digits of a reference are right (ISO 7064, MOD 97-10).",
        created=DATE,
        model_file="model.onnx",
        files={"model.onnx": hashlib.sha256(content).hexdigest()},
        input=TensorInput(
            kind="tensor",
            name="reference",
            dtype="int64",
            shape=("batch", 1),
            minimum=0,
            maximum=LARGEST,
            meaning="a reference with its two check digits",
            unit="1",
            summaries=(
                Feature(name="mean", meaning="the reference", unit="1", **span),
                Feature(name="std", meaning="0: there is one", unit="1", training_min=0, training_max=0),
            ),
        ),
        outputs=Outputs(
            probabilities=ProbabilityTensor(
                name="probabilities",
                dtype="float32",
                shape=("batch", len(CLASSES)),
                classes=CLASSES,
                meaning="1 of the class, 0 of the other",
                unit="probability, 0 to 1",
            )
        ),
        preprocessing=("none",),
        sample=Sample(input=encode(np.array([sample], dtype=np.int64)), expected=expected(sample), atol=1e-6),
        budget=Budget(inference_p99_ms=2.0, request_p99_ms=10.0, memory_mib=256),
        dataset=Dataset(
            name="references",
            source="scripts/check_digits.py; nothing is trained, and all are for evaluation too",
            sha256=digest(rows),
            rows=len(rows),
            training_rows=len(rows),
            evaluation_rows=len(rows),
        ),
        acceptance=(Criterion(metric="accuracy", comparison="at_least", limit=1.0, observed=1.0),),
        training=Training(algorithm="none: a remainder", seed=SEED, parameters={}, libraries={}),
    )


def digest(rows: list[int]) -> str:
    """SHA-256 of all references, a line each."""
    return hashlib.sha256("".join(f"{row}\n" for row in rows).encode()).hexdigest()


def published() -> Mapping[Path, bytes]:
    """The content of each file, by its path."""
    rows, content = list(references()), model()
    said = manifest(content, rows)
    cases = "".join(
        _line({"id": f"reference-{row}", "input": [row], "expected": expected(row).model_dump()})
        for row in rows
    ).encode()
    artifact, golden = ROOT / "reference_service" / "artifacts" / NAME, ROOT / "golden" / NAME
    return {
        artifact / "model.onnx": content,
        artifact / "manifest.json": (json.dumps(said.model_dump(mode="json"), indent=2) + "\n").encode(),
        golden / "cases.jsonl": cases,
        golden / "golden.toml": f"""\
schema_version = 1

[producer]
name = "scripts/check_digits.py"
version = "{VERSION}"
kind = "script"
date = "{DATE}"
environment = "Python, by its integers"

[model]
name = "{NAME}"
version = "{VERSION}"
sha256 = "{said.files["model.onnx"]}"

[dataset]
name = "{said.dataset.name}"
sha256 = "{said.dataset.sha256}"

[cases]
file = "cases.jsonl"
sha256 = "{hashlib.sha256(cases).hexdigest()}"
count = {len(rows)}
""".encode(),
    }


def _line(case: dict[str, Any]) -> str:
    return json.dumps(case) + "\n"


if __name__ == "__main__":
    for path, written in published().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(written)
