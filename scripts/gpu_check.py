"""Check on a machine with an NVIDIA GPU, without a container engine, what the service does on CUDA.

Usage: ``PYTHONPATH=. PYTHON scripts/gpu_check.py``; PYTHON has what requirements/service-gpu.lock lists.

The classifier of digits has to load on CUDA, to run every node of its sample there, and to answer every
golden case, alone and in batches of 64, within the tolerance of gate.digits.toml. The trees, whose operators
have no CUDA kernels, have to be refused.

Exits with 0 if all of it holds, 3 if not, and 5 if there is no GPU to check it on.
"""

import json
import os
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from pydantic import TypeAdapter

from reference_service.api.instances import instance_of, row
from reference_service.model.artifact import ArtifactError, load_artifact
from reference_service.model.gpus import gpu_device_files, visible_gpus
from reference_service.model.inference import Model
from reference_service.model.providers import RUNTIME_NAMES, ProviderError, ProviderName, require_available

ROOT = Path(__file__).resolve().parent.parent
ARTIFACTS = ROOT / "reference_service" / "artifacts"
BATCH_ROWS = 64
HOLDS, FAILS, NOTHING_CHECKED = 0, 3, 5


class NoGpuError(Exception):
    """There is nothing here that CUDA could run on."""


class CheckFailedError(Exception):
    """The service does on CUDA what it must not."""


@dataclass(frozen=True, kw_only=True)
class Golden:
    """The golden cases of one artifact as the model takes them.

    Attributes:
        rows: ``[n, *shape of a row]``, in the dtype of the model's input.
        labels: Of each row.
        probabilities: ``[n, classes]``, columns in the order of the manifest's classes.
        atol: Of a probability; the suite's tolerance is ``atol + rtol * abs(expected)``.
        rtol: The same.
    """

    rows: NDArray[Any]
    labels: tuple[str, ...]
    probabilities: NDArray[np.float64]
    atol: float
    rtol: float


def require_gpu() -> None:
    """Make sure that ONNX Runtime was built with CUDA, and that CUDA has a GPU to offer.

    Raises:
        NoGpuError: One of them is missing.
    """
    try:
        require_available("cuda", onnxruntime.get_available_providers())
    except ProviderError as error:
        raise NoGpuError(f"{error}; requirements/service-gpu.lock has it") from error
    files, visible = gpu_device_files(), os.environ.get("CUDA_VISIBLE_DEVICES")
    if not files or not visible_gpus(visible, files):
        raise NoGpuError(f"no GPU: {len(files)} in /dev, CUDA_VISIBLE_DEVICES={visible}")


def open_model(name: str, provider: ProviderName) -> Model:
    """Load an artifact as the service does.

    Raises:
        ArtifactError: It can't be loaded, or (ProviderError) not on this provider.
    """
    artifact = load_artifact(ARTIFACTS / name)
    return Model(artifact, provider=provider, intra_op_threads=1, observe_run=lambda **_: None)


def read_golden(model: Model, suite: Path, folder: Path) -> Golden:
    """Read golden cases, and from the suite how far an answer may be off."""
    limits = tomllib.loads(suite.read_text(encoding="utf-8"))["golden"]["limits"]["outputs"]
    instance: TypeAdapter[Any] = TypeAdapter(instance_of(model.manifest.input).type)
    lines = (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    classes = model.manifest.outputs.probabilities.classes
    expected = [case["expected"] for case in cases]
    return Golden(
        rows=model.tensor([row(instance.validate_python(case["input"])) for case in cases]),
        labels=tuple(each["label"] for each in expected),
        probabilities=np.array([[each["probabilities"][name] for name in classes] for each in expected]),
        atol=limits["probabilities"].get("atol", 0.0),
        rtol=limits["probabilities"].get("rtol", 0.0),
    )


def compare(model: Model, golden: Golden, *, batch_rows: int) -> float:
    """Answer all golden cases in batches; return how far off the worst probability is.

    Raises:
        CheckFailedError: A label differs, or a probability by more than the tolerance.
    """
    answers = [
        answer
        for start in range(0, len(golden.rows), batch_rows)
        for answer in model.predict(golden.rows[start : start + batch_rows])
    ]
    observed = np.array([list(answer.probabilities.values()) for answer in answers])
    off = np.abs(observed - golden.probabilities)
    far = ~(off <= golden.atol + golden.rtol * np.abs(golden.probabilities))  # what is no number is far too
    wrong = np.array([answer.label for answer in answers]) != np.array(golden.labels)
    if far.any() or wrong.any():
        cases = np.count_nonzero(far.any(axis=1) | wrong)
        raise CheckFailedError(
            f"{cases} of {len(answers)} cases differ in batches of {batch_rows}: "
            f"{np.count_nonzero(wrong)} labels, probabilities by up to {off.max():.2g}"
        )
    return float(off.max())


def check_network(provider: ProviderName) -> Sequence[str]:
    """Hold the classifier of digits against its golden set; return what was seen.

    Raises:
        CheckFailedError: It runs elsewhere, or answers otherwise.
        ArtifactError: It can't be loaded.
    """
    model = open_model("digits", provider)
    expected = RUNTIME_NAMES[provider]
    if model.execution_provider != expected:
        raise CheckFailedError(f"digits runs on {model.execution_provider}, not on {expected}")
    nodes = model.nodes_by_provider
    if not nodes or nodes.keys() != {expected}:
        raise CheckFailedError(f"nodes of digits by execution provider: {_counted(nodes)}")
    golden = read_golden(model, ROOT / "gate.digits.toml", ROOT / "golden" / "digits")
    loaded = [
        f"digits: loaded on {expected}, of the session's {', '.join(model.execution_providers)}",
        f"digits: nodes that ran the sample: {_counted(nodes)}",
    ]
    return loaded + [
        f"digits: {len(golden.rows)} golden cases in batches of {size}, "
        f"off by at most {compare(model, golden, batch_rows=size):.2g} (allowed: {golden.atol:g})"
        for size in (1, BATCH_ROWS)
    ]


def _counted(nodes: Mapping[str, int] | None) -> str:
    return ", ".join(f"{count} on {name}" for name, count in (nodes or {}).items()) or "unknown"


def check_refusal(name: str) -> str:
    """See that an artifact without CUDA kernels is refused; return how.

    Raises:
        CheckFailedError: It was loaded.
    """
    try:
        open_model(name, "cuda")
    except ProviderError as error:
        return f"{name}: refused, {str(error).splitlines()[0]}"
    raise CheckFailedError(f"{name} was loaded on CUDA; its operators have no kernels there")


def main() -> int:
    """Run every check, print what it saw, and return the exit code."""
    try:
        require_gpu()
        for line in (*check_network("cuda"), check_refusal("breast-cancer")):
            print(line)
    except NoGpuError as error:
        print(f"NOTHING CHECKED: {error}", file=sys.stderr)
        return NOTHING_CHECKED
    except (CheckFailedError, ArtifactError) as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return FAILS
    print("all of it holds")
    return HOLDS


if __name__ == "__main__":
    sys.exit(main())
