"""Reads an ONNX model's test data: ``test_data_set_N/{input,output}_K.pb`` beside its ``model.onnx``.

The format is that of https://github.com/onnx/onnx/blob/main/docs/OnnxBackendTest.md: each file is a
serialised TensorProto, or a SequenceProto or OptionalProto where the model's value is one; K is its position.
"""

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from harness.checks.golden.header import NOT_TOLD
from harness.checks.golden.settings import FLOATS, Dtype
from harness.config.files import plain_file
from harness.errors import HarnessError, UsageError

SETS = "test_data_set_*"
MODEL_FILE = "model.onnx"
NOT_UTF8 = "strings that are not UTF-8"
NUMBERED = re.compile(r"_(\d+)(\.pb)?$")


class NotSupportedError(HarnessError):
    """Test data that no golden set can hold; ``str()`` is why."""


@dataclass(frozen=True)
class Tensor:
    """A named array as JSON has it.

    Attributes:
        dtype: Its declared name, or one that no output can declare.
        value: Nested lists; floats that are no numbers as strings.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    value: Any


@dataclass(frozen=True)
class DataSet:
    """One question and its answer."""

    id: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


@dataclass(frozen=True)
class ModelTests:
    """A model and its data sets.

    Attributes:
        sha256: Of the model's file; None where there is none.
        data_sha256: Of all files of the data sets together.
        producer: Who exported the model, as it says.
    """

    name: str
    sha256: str | None
    data_sha256: str
    producer: tuple[str, str]
    sets: tuple[DataSet, ...]


def onnx_package() -> ModuleType:
    """The onnx package, which only this needs.

    Raises:
        UsageError: saying how to install it.
    """
    try:
        import onnx  # noqa: PLC0415 - an optional extra
        import onnx.numpy_helper  # noqa: PLC0415 - likewise
    except ImportError as error:
        raise UsageError(
            "reading ONNX test data needs the onnx package",
            fix=".venv/bin/pip install -e '.[onnx]' in the checkout of harness",
        ) from error
    return onnx


def model_folders(folder: Path) -> list[Path]:
    """The folder itself if it holds data sets, else those below it that do.

    Raises:
        UsageError: when there is none.
    """
    if any(folder.glob(SETS)):
        return [folder]
    found = sorted({path.parent for path in folder.rglob(SETS) if path.is_dir()})
    if not found:
        raise UsageError(
            f"{folder}: no test_data_set_N folder in it or below",
            fix="name the folder of a model, which holds model.onnx and test_data_set_0",
        )
    return found


def read_model_tests(folder: Path) -> ModelTests:
    """Read the data sets of one model.

    Raises:
        NotSupportedError: for values that are no tensors, element types that JSON has no declared form of,
            empty tensors whose shape a list cannot tell, damaged files.
    """
    onnx = onnx_package()
    file = folder / MODEL_FILE
    values: tuple[Sequence[Any], Sequence[Any]] = ((), ())
    producer, digest = ("onnx test data", onnx.__version__), None
    if file.is_file():
        content = _content(file)
        digest = hashlib.sha256(content).hexdigest()
        model = _model(content)
        given = {initializer.name for initializer in model.graph.initializer}
        values = [value for value in model.graph.input if value.name not in given], model.graph.output
        if model.producer_name:
            producer = (model.producer_name, model.producer_version or NOT_TOLD)
    data = hashlib.sha256()
    sets = []
    for path in _in_order(folder.glob(SETS)):
        for pb in sorted(path.glob("*.pb")):
            data.update(_content(pb))
        inputs, outputs = (
            tuple(_tensors(_in_order(path.glob(f"{kind}_*.pb")), known))
            for kind, known in zip(("input", "output"), values, strict=True)
        )
        sets.append(DataSet(path.name, inputs, outputs))
    return ModelTests(folder.name, digest, data.hexdigest(), producer, tuple(sets))


def _content(file: Path) -> bytes:
    try:
        return plain_file(file).read_bytes()
    except OSError as error:
        raise NotSupportedError(f"{file.name}, which cannot be read ({error.strerror})") from error


def _model(content: bytes) -> Any:
    onnx = onnx_package()
    try:
        return onnx.load_model_from_string(content)
    except Exception as error:  # protobuf's, which are no part of onnx
        raise NotSupportedError(f"a {MODEL_FILE} that holds no model") from error


def _in_order(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths, key=lambda path: int(found[1]) if (found := NUMBERED.search(path.name)) else -1)


def _tensors(files: Sequence[Path], values: Sequence[Any]) -> Iterator[Tensor]:
    """The files as tensors, named by the model's values where there is a model."""
    for file, value in zip_longest(files, values[: len(files)]):
        kind = "tensor_type" if value is None else value.type.WhichOneof("value")
        if kind != "tensor_type":
            raise NotSupportedError(f"{kind.removesuffix('_type')} values")
        yield _tensor(file, "" if value is None else value.name)


def _tensor(file: Path, name: str) -> Tensor:
    onnx = onnx_package()
    proto, content = onnx.TensorProto(), _content(file)
    try:
        proto.ParseFromString(content)
        kind = onnx.TensorProto.DataType.Name(proto.data_type).lower()
        array = onnx.numpy_helper.to_array(proto)
    except UnicodeDecodeError as error:
        raise NotSupportedError(NOT_UTF8) from error
    except Exception as error:  # protobuf and numpy_helper have no class of errors in common
        raise NotSupportedError("files that hold no tensor") from error
    dtype = {"float": "float32", "double": "float64"}.get(kind, kind)
    if dtype not in get_args(Dtype):
        raise NotSupportedError(f"elements of type {dtype}")
    if 0 in array.shape[:-1]:
        raise NotSupportedError("an empty tensor whose shape a list cannot tell")
    try:
        value = as_json(array, dtype)
    except UnicodeDecodeError as error:
        raise NotSupportedError(NOT_UTF8) from error
    return Tensor(name or proto.name or file.stem, dtype, array.shape, value)


def as_json(array: npt.NDArray[Any], dtype: str) -> Any:
    """Nested lists of exactly the array's values; what is not finite as the strings that outputs declare."""
    if dtype == "string":
        return _map(array.tolist(), lambda text: text.decode() if isinstance(text, bytes) else str(text))
    if dtype not in FLOATS:
        return array.tolist()
    wide = array.astype(np.float64)
    return wide.tolist() if np.isfinite(wide).all() else _map(wide.tolist(), _written)


def _map(value: Any, change: Any) -> Any:
    return [_map(item, change) for item in value] if isinstance(value, list) else change(value)


def _written(number: float) -> float | str:
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return number
