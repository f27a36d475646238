"""Tensors as a manifest declares them, and whether a JSON value or a schema is one; pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.checks.contract.settings import TensorSettings
from harness.checks.golden.wire import json_type
from harness.openapi.document import Budget, Document, Node
from harness.openapi.schema import Alternative, Schema, SchemaReader
from harness.pointer import PointerError, resolve

Kind = Literal["float", "integer", "bool", "string"]
_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("float", "double", "float16", "bfloat16", "float32", "float64"), "float"),
    **dict.fromkeys(("fp16", "bf16", "fp32", "fp64"), "float"),
    **dict.fromkeys((f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)), "integer"),
    **dict.fromkeys(("bool", "boolean"), "bool"),
    **dict.fromkeys(("string", "str", "bytes"), "string"),
}
_ONNX = re.compile(r"tensor\((\w+)\)")
_JSON_TYPES: dict[Kind, str] = {
    "float": "fraction",
    "integer": "integer",
    "bool": "boolean",
    "string": "string",
}


class ManifestError(ValueError):
    """The manifest does not say what the suite says that it does."""


@dataclass(frozen=True)
class Tensor:
    """One input or output, of one instance.

    Attributes:
        dtype: As the manifest writes it.
        shape: Without the batch; None for a dimension of any length.
        keys: Names of the last dimension's values, where they are members of an object.
    """

    dtype: str
    kind: Kind
    shape: tuple[int | None, ...]
    keys: tuple[str, ...] | None


def read_tensor(manifest: Any, name: str, declared: TensorSettings) -> Tensor:
    """What the manifest says of a tensor.

    Raises:
        ManifestError: it says nothing there, or nothing that is a name, a shape, a dtype.
    """
    if declared.name is not None and (own := _at(manifest, declared.name)) != name:
        raise ManifestError(f"at {declared.name} the manifest names it {own!r:.80}, the suite {name!r}")
    dtype = _at(manifest, declared.dtype)
    written = dtype.lower() if isinstance(dtype, str) else ""
    match = _ONNX.fullmatch(written)
    kind = _KINDS.get(match[1] if match else written)
    if kind is None:
        raise ManifestError(f"at {declared.dtype} is no dtype: {dtype!r:.80}")
    dimensions = _at(manifest, declared.shape)
    if not isinstance(dimensions, list) or not dimensions:
        raise ManifestError(f"at {declared.shape} is no shape that begins with the batch: {dimensions!r:.80}")
    shape = tuple(_length(each) for each in dimensions[1:])
    keys = None if declared.keys is None else _names(manifest, declared.keys, declared.key)
    if keys is not None and (not shape or shape[-1] not in (None, len(keys))):
        raise ManifestError(f"{len(keys)} names at {declared.keys}, the shape is {dimensions!r:.80}")
    return Tensor(str(dtype), kind, shape, keys)


def _at(manifest: Any, pointer: str) -> Any:
    try:
        return resolve(manifest, pointer)
    except PointerError as error:
        raise ManifestError(f"the manifest has {error}") from None


def _length(dimension: Any) -> int | None:
    fixed = isinstance(dimension, int) and not isinstance(dimension, bool) and dimension >= 0
    return dimension if fixed else None


def _names(manifest: Any, pointer: str, each: str) -> tuple[str, ...]:
    entries = _at(manifest, pointer)
    names = [_at(entry, each) for entry in entries] if isinstance(entries, list) else []
    if not names or not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise ManifestError(f"at {pointer} is no list of distinct names")
    return tuple(names)


def value_problem(value: Any, tensor: Tensor) -> str:
    """How a JSON value is not such a tensor; empty where it is one."""
    return next(_value_problems(value, tensor, tensor.shape, ""), "")


def _value_problems(value: Any, tensor: Tensor, shape: Sequence[int | None], at: str) -> Iterator[str]:
    place = at or "the top"
    if not shape:
        if not _is_of(value, tensor.kind):
            yield f"{json_type(value)} {value!r:.40} at {place} instead of {tensor.dtype}"
    elif tensor.keys is not None and len(shape) == 1:
        if not isinstance(value, dict) or set(value) != set(tensor.keys):
            yield f"{json_type(value)} at {place} instead of an object with the {len(tensor.keys)} names"
            return
        for name in tensor.keys:
            yield from _value_problems(value[name], tensor, (), f"{at}/{name}")
    elif not isinstance(value, list):
        yield f"{json_type(value)} at {place} instead of an array"
    elif shape[0] not in (None, len(value)):
        yield f"array of {len(value)} at {place} instead of {shape[0]}"
    else:
        for index, item in enumerate(value):
            yield from _value_problems(item, tensor, shape[1:], f"{at}/{index}")


def _is_of(value: Any, kind: Kind) -> bool:
    match kind:
        case "float":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "bool":
            return isinstance(value, bool)
        case "string":
            return isinstance(value, str)


class Schemas:
    """The schemas of one document, by pointers into the values they describe."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._reader = SchemaReader(document, Budget())

    def under(self, schema: Schema, pointer: str) -> Schema | None:
        """What a schema says of the value at a pointer; None where it says nothing.

        Raises:
            OpenAPIError: a schema cannot be read.
        """
        for raw in pointer.split("/")[1:]:
            token = raw.replace("~1", "/").replace("~0", "~")
            found = next(
                (
                    children
                    for each in self._reader.alternatives(schema)
                    if (
                        children := _property(each, token)
                        or (each.children("items") if token.isdecimal() else ())
                    )
                ),
                None,
            )
            if found is None:
                return None
            schema = found
        return schema

    def requires(self, schema: Schema, name: str) -> bool:
        """Whether an object of the schema always has the member."""
        return all(
            any(name in node.names("required") for node in each.nodes)
            for each in self._reader.alternatives(schema)
        )

    def items(self, schema: Schema) -> Schema | None:
        """What an array's items are; None where it is not said."""
        return next(
            (found for each in self._reader.alternatives(schema) if (found := each.children("items"))), None
        )

    def problem(self, schema: Schema, tensor: Tensor) -> str:
        """Why no alternative of a schema is such a tensor; empty where one is."""
        return self._problem(schema, tensor, tensor.shape)

    def _problem(self, schema: Schema, tensor: Tensor, shape: Sequence[int | None]) -> str:
        problems = [self._of_one(each, tensor, shape) for each in self._reader.alternatives(schema)]
        return "" if "" in problems else (problems or ["allows nothing"])[0]

    def _of_one(self, each: Alternative, tensor: Tensor, shape: Sequence[int | None]) -> str:
        types = each.types - {"null"}
        if not shape:
            wanted = _JSON_TYPES[tensor.kind]
            allowed = types - {"integer"} if wanted == "fraction" else types
            return (
                ""
                if allowed == {wanted}
                else f"documented is {' or '.join(sorted(types))} for {tensor.dtype}"
            )
        if tensor.keys is not None and len(shape) == 1:
            return self._of_object(each, tensor, types)
        if types != {"array"}:
            return f"documented is {' or '.join(sorted(types))} instead of an array"
        least = max(
            (count for node in each.nodes if (count := node.number("minItems")) is not None), default=0
        )
        most = min(
            (count for node in each.nodes if (count := node.number("maxItems")) is not None), default=None
        )
        if shape[0] is not None and (shape[0] < least or (most is not None and shape[0] > most)):
            return f"documented are {least} to {most} items for {shape[0]}"
        items = each.children("items")
        return self._problem(items, tensor, shape[1:]) if items else ""

    def _of_object(self, each: Alternative, tensor: Tensor, types: frozenset[str]) -> str:
        if types != {"object"}:
            return f"documented is {' or '.join(sorted(types))} instead of an object"
        names = {name for node in each.nodes for name in node.members("properties")}
        if names and tensor.keys is not None and names != set(tensor.keys):
            other = sorted(names ^ set(tensor.keys))
            return f"the manifest and the document differ in the names {other[:3]}"
        for name in sorted(names):
            if problem := self._problem(_property(each, name), tensor, ()):
                return f"{problem} at {name!r}"
        return ""


def _property(each: Alternative, name: str) -> Schema:
    found: list[Node] = [
        node.members("properties")[name] for node in each.nodes if name in node.members("properties")
    ]
    return tuple(found)
