"""Looks at one ONNX file: ``python -m harness.checks.artifact.onnx_worker PATH MEMORY_BYTES CPU_S``.

A process of its own, because the file is the candidate's and the checker is written in C++: whatever the file
does to it, it ends at its bounds of memory, time and output, and has nothing to take along.
"""

import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.checks.artifact.onnx_facts import MOST_CHARACTERS, OnnxFacts, Tensor
from harness.checks.artifact.settings import DEFAULT_DOMAIN

LARGEST_OUTPUT = 4 * 1024 * 1024
MOST_NAMES = 1000
MOST_OPSETS = 100


def main() -> None:
    """Print the facts as JSON; exit code 0 if there are any."""
    path, memory_bytes, cpu_s = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_OUTPUT, LARGEST_OUTPUT))
    sys.stdout.write(inspect(Path(path)).model_dump_json())


def inspect(path: Path) -> OnnxFacts:
    """The facts of a model, its parts beside it."""
    # Imported late: what it takes counts against the bounds.
    import onnx  # noqa: PLC0415 - see above

    model = onnx.ModelProto()
    model.ParseFromString(path.read_bytes())
    refused = ""
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        refused = str(error).strip() or type(error).__name__
    messages = list(_messages(model))
    external = (
        entry.value
        for message in messages
        if isinstance(message, onnx.TensorProto) and message.data_location == onnx.TensorProto.EXTERNAL
        for entry in message.external_data
        if entry.key == "location"
    )
    nodes = (message.domain for message in messages if isinstance(message, onnx.NodeProto))
    weights = {each.name for each in model.graph.initializer}
    if len(model.opset_import) > MOST_OPSETS:
        refused = f"it imports {len(model.opset_import)} operator sets, more than {MOST_OPSETS}"
    return OnnxFacts(
        refused=refused[: 2 * MOST_CHARACTERS],
        opsets=tuple(
            ((each.domain or DEFAULT_DOMAIN)[:MOST_CHARACTERS], each.version) for each in model.opset_import
        )[:MOST_OPSETS],
        domains=_names(domain or DEFAULT_DOMAIN for domain in nodes),
        inputs=tuple(_tensor(each) for each in model.graph.input if each.name not in weights)[:MOST_NAMES],
        outputs=tuple(_tensor(each) for each in model.graph.output)[:MOST_NAMES],
        external=_names(external),
    )


def _names(names: Iterator[str]) -> tuple[str, ...]:
    return tuple(sorted({name[:MOST_CHARACTERS] for name in names})[:MOST_NAMES])


def _messages(message: Any) -> Iterator[Any]:
    """A protobuf message and all within it."""
    yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for each in value if field.is_repeated else [value]:
                yield from _messages(each)


def _tensor(value: Any) -> Tensor:
    import onnx  # noqa: PLC0415 - as above

    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        return Tensor(name=value.name[:MOST_CHARACTERS], dtype=kind, shape=None)
    tensor = value.type.tensor_type
    known = tensor.elem_type in onnx.TensorProto.DataType.values()
    shape = None
    if tensor.HasField("shape"):
        shape = tuple(
            each.dim_value if each.WhichOneof("value") == "dim_value" else None
            for each in tensor.shape.dim[:MOST_NAMES]
        )
    return Tensor(
        name=value.name[:MOST_CHARACTERS],
        dtype=onnx.TensorProto.DataType.Name(tensor.elem_type).lower() if known else None,
        shape=shape,
    )


if __name__ == "__main__":
    main()
