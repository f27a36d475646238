"""Golden sets from ONNX test data, and what gate.toml has to say of their outputs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import tomlkit

from harness.checks.golden.header import GoldenDataset, GoldenHeader, GoldenModel, Producer
from harness.checks.golden.settings import FLOATS
from harness.errors import UsageError
from harness.golden.onnx_data import (
    DataSet,
    ModelTests,
    NotSupportedError,
    Tensor,
    onnx_package,
    read_model_tests,
)
from harness.golden.writing import GoldenWriter, require_free

OUTPUTS_FILE = "outputs.toml"
SOURCE = "onnxruntime's own test tolerances"
# atol and rtol of onnxruntime's tests (onnxruntime/test/providers/checkers.cc); integers are exact.
TOLERANCES = {
    "float64": (1e-5, 1e-5),
    "float32": (1e-5, 1e-4),
    "float16": (2.5e-3, 1e-3),
    "bfloat16": (2e-2, 1e-2),
}


@dataclass(frozen=True)
class Imported:
    """One model; ``problem`` says why there is no set of it."""

    source: Path
    folder: Path
    cases: int = 0
    problem: str = ""


def import_all(
    sources: Iterable[Path], root: Path, out: Path, *, force: bool, compress: bool, today: date
) -> Iterable[Imported]:
    """Make a set of each model folder: in ``out`` of ``root`` itself, below it of those below ``root``.

    Raises:
        UsageError: when there is a set already, or two of the same place.
    """
    taken = set[Path]()
    for source in sources:
        folder = out / source.relative_to(root)
        if folder in taken:
            raise UsageError(f"two models would be imported into {folder}")
        taken.add(folder)
        require_free(folder, force=force)
        try:
            count = import_model(source, folder, compress=compress, today=today)
        except NotSupportedError as error:
            yield Imported(source, folder, problem=str(error))
        else:
            yield Imported(source, folder, cases=count)


def import_model(source: Path, folder: Path, *, compress: bool, today: date) -> int:
    """Write ``golden.toml``, its cases and ``outputs.toml``; the input of a case names each tensor.

    Returns:
        The number of cases.

    Raises:
        NotSupportedError: for data that no golden set can hold.
    """
    tests = read_model_tests(source)
    snippet = outputs_toml(tests.sets)
    with GoldenWriter(folder, compress=compress) as writer:
        for data_set in tests.sets:
            writer.add(data_set.id, _values(data_set.inputs), _values(data_set.outputs))
        header = writer.commit(
            lambda cases: GoldenHeader(
                schema_version=1,
                producer=_producer(tests, today),
                model=GoldenModel(name=tests.name, sha256=tests.sha256),
                dataset=GoldenDataset(name=tests.name, sha256=tests.data_sha256),
                cases=cases,
            )
        )
    (folder / OUTPUTS_FILE).write_text(snippet, encoding="utf-8")
    return header.cases.count


def outputs_toml(sets: tuple[DataSet, ...]) -> str:
    """``[golden.outputs]`` and their limits, for an answer with the outputs under ``/outputs``.

    Raises:
        NotSupportedError: when the data sets differ in dtype or shape, or an output has no element.
    """
    first, *others = ({output.name: (output.dtype, output.shape) for output in each.outputs} for each in sets)
    if any(other != first for other in others):
        raise NotSupportedError("outputs of another shape in each data set")
    if not first:
        raise NotSupportedError("no output")
    outputs: dict[str, Any] = {}
    limits: dict[str, Any] = {}
    for name, (dtype, shape) in first.items():
        if 0 in shape:
            raise NotSupportedError("an output without elements")
        escaped = name.replace("~", "~0").replace("/", "~1")
        outputs[name] = {"pointer": f"/outputs/{escaped}", "dtype": dtype, "shape": list(shape)}
        if dtype in FLOATS:
            outputs[name]["nonfinite"] = "strings"
        if dtype in TOLERANCES:
            atol, rtol = TOLERANCES[dtype]
            limits[name] = {"atol": atol, "rtol": rtol, "source": SOURCE}
    document: dict[str, Any] = {"golden": {"outputs": outputs}}
    if limits:
        document["golden"]["limits"] = {"outputs": limits}
    return tomlkit.dumps(document)


def _producer(tests: ModelTests, today: date) -> Producer:
    name, version = tests.producer
    environment = f"imported by onnx {onnx_package().__version__}"
    return Producer(name=name, version=version, kind="import", date=today, environment=environment)


def _values(tensors: Iterable[Tensor]) -> dict[str, Any]:
    return {tensor.name: tensor.value for tensor in tensors}
