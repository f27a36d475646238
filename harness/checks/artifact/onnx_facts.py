"""What is learnt of an ONNX file, and the tensors that a manifest tells of it."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from harness.checks.artifact.manifest import Manifest
from harness.checks.artifact.settings import TensorPointers
from harness.model import Utf8Text

MOST_CHARACTERS = 300
NUMPY_NAMES = {"float": "float32", "double": "float64"}


class Facts(BaseModel):
    """Base of what goes between the processes and into evidence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Tensor(Facts):
    """An input or output; ``shape`` has None for a dimension of any size, and is None where nothing is said.

    Attributes:
        dtype: ONNX's name in small letters (``float``, ``uint8``), or the kind of what is no tensor.
    """

    name: Utf8Text
    dtype: Utf8Text | None
    shape: tuple[int | None, ...] | None


class OnnxFacts(Facts):
    """What the worker says of a model.

    Attributes:
        refused: Why the ONNX checker does not accept it; empty if it does.
        opsets: Domain and version of each operator set that it imports.
        domains: Of the operators that it uses.
        external: Files that hold parts of it.
    """

    refused: Utf8Text
    opsets: tuple[tuple[Utf8Text, int], ...]
    domains: tuple[Utf8Text, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    external: tuple[Utf8Text, ...]


class Told(Facts):
    """What the manifest says of one input or output; None where it is not asked.

    Attributes:
        missing: Pointers at which the manifest has nothing that fits.
    """

    name: Utf8Text | None
    dtype: Utf8Text | None
    shape: tuple[int | None, ...] | None
    missing: tuple[str, ...]


def told(manifest: Manifest, pointers: TensorPointers) -> Told:
    """Read what a manifest says of one tensor."""
    name, dtype = manifest.text(pointers.name), manifest.text(pointers.dtype)
    shape = _shape(manifest.at(pointers.shape))
    asked = {pointers.name: name, pointers.dtype: dtype, pointers.shape: shape}
    missing = tuple(pointer for pointer, value in asked.items() if pointer is not None and value is None)
    return Told(name=name, dtype=dtype, shape=shape, missing=missing)


def _shape(value: Any) -> tuple[int | None, ...] | None:
    """Sizes as numbers; a name, null or a negative number stands for any."""
    if not isinstance(value, list):
        return None
    return tuple(size if isinstance(size, int) and size >= 0 else None for size in value)


def differences(all_told: tuple[Told, ...], tensors: tuple[Tensor, ...]) -> list[str]:
    """What a manifest says of the inputs or outputs and the graph does not, and the reverse."""
    found = {tensor.name: tensor for tensor in tensors}
    wrong = [f"the manifest says nothing at {pointer}" for each in all_told for pointer in each.missing]
    for each in all_told:
        tensor = found.pop(each.name, None) if each.name is not None else None
        if tensor is not None:
            wrong += _different(each, tensor)
        elif each.name is not None:
            wrong.append(f"the graph has no {each.name!r}")
    return wrong + [f"the manifest does not tell of {name!r}" for name in found]


def _different(each: Told, tensor: Tensor) -> list[str]:
    wrong = []
    onnx = tensor.dtype or "unknown"
    if each.dtype is not None and each.dtype.lower() not in {
        NUMPY_NAMES.get(onnx, onnx),
        onnx,
        f"tensor({onnx})",
    }:
        wrong.append(f"{tensor.name}: the graph has {onnx}, the manifest {each.dtype}")
    if each.shape is not None and each.shape != tensor.shape:
        shape = "no shape" if tensor.shape is None else _shown(tensor.shape)
        wrong.append(f"{tensor.name}: the graph has {shape}, the manifest {_shown(each.shape)}")
    return wrong


def _shown(shape: tuple[int | None, ...]) -> str:
    return "[" + ", ".join("any" if size is None else str(size) for size in shape) + "]"
