"""Reads one row of a tensor out of JSON: nested lists, or the base64 of its raw bytes."""

import binascii
import math
from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference_service.model.inputs import TensorInput

LITTLE_ENDIAN: Mapping[str, str] = {"float32": "<f4", "uint8": "u1", "int64": "<i8"}
EXACT_BELOW = 2**53
LAST_QUANTUM = 4  # characters, which hold 1 to 3 bytes


class TensorError(ValueError):
    """A value is not a row of the tensor; `code` is that of the error schema."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class TensorReader:
    """Reads rows of one declared tensor, as strictly in the one form as in the other.

    Works on all numbers of a row at once: a row is often a thousand of them, and a request waits for it.
    """

    def __init__(self, declared: TensorInput) -> None:
        self._shape = declared.row_shape
        self._dtype = declared.dtype
        self._low, self._high = declared.minimum, declared.maximum
        self._bytes = math.prod(self._shape) * np.dtype(LITTLE_ENDIAN[self._dtype]).itemsize
        self._whole = self._dtype != "float32"
        self._types = {int} if self._whole else {int, float}
        self._expectation = "whole numbers" if self._whole else "numbers"

    def read(self, value: object) -> NDArray[Any]:
        """Return the row, of the declared dtype and shape (without the batch).

        Raises:
            TensorError: Another shape or length, no number of the dtype where one must be (a boolean is none,
                1.5 is no integer), not finite, or outside the declared range.
        """
        if isinstance(value, dict):
            return self._decoded(value)
        return self._nested(value)

    def _nested(self, value: object) -> NDArray[Any]:
        """Read nested lists."""
        items = [value]
        for size in self._shape:
            if any(type(item) is not list or len(item) != size for item in items):
                raise TensorError("wrong_shape", f"is not nested lists of shape {list(self._shape)}")
            items = list(chain.from_iterable(items))  # type: ignore[arg-type]  # lists, as just checked
        types = set(map(type, items))
        if self._whole and float in types:
            items = [_whole(item) for item in items]
            types = set(map(type, items))
        if not types <= self._types:
            raise TensorError("invalid_value", f"holds something else than {self._expectation}")
        try:
            values = np.array(items, dtype=np.int64 if self._whole else np.float64)
        except OverflowError:
            raise self._out_of_bounds() from None
        self._check_range(values)
        return values.astype(self._dtype).reshape(self._shape)

    def _decoded(self, value: dict[object, object]) -> NDArray[Any]:
        """Read `{"base64": ...}`."""
        text = value.get("base64")
        if value.keys() != {"base64"} or not isinstance(text, str):
            raise TensorError("invalid_value", 'is neither nested lists nor {"base64": "..."}')
        try:
            content = binascii.a2b_base64(text, strict_mode=True)
        except ValueError as error:  # of a character, of the padding; or of text that is not ASCII
            raise TensorError("invalid_base64", "is not base64") from error
        if len(content) != self._bytes:
            raise TensorError("wrong_shape", f"holds {len(content)} bytes, not {self._bytes}")
        last = content[-(len(content) % 3 or 3) :]
        if binascii.b2a_base64(last, newline=False) != text[-LAST_QUANTUM:].encode():
            raise TensorError("invalid_base64", "ends in bits that no byte has")
        values = np.frombuffer(content, dtype=LITTLE_ENDIAN[self._dtype])
        self._check_range(values)
        return values.astype(self._dtype, copy=False).reshape(self._shape)

    def _check_range(self, values: NDArray[Any]) -> None:
        """Refuse what is not finite and what is outside the declared range."""
        if not self._whole and not np.isfinite(values).all():
            raise TensorError("not_finite", "holds a value that is not finite")
        if values.min() < self._low or values.max() > self._high:
            raise self._out_of_bounds()

    def _out_of_bounds(self) -> TensorError:
        return TensorError("out_of_bounds", f"holds a value outside {self._low} to {self._high}")


def _whole(item: object) -> object:
    """Return a float that is a whole number as one: 1.0 is an integer in JSON Schema.

    Not from 2**53 on, where a float may have been another number in the JSON; an integer token is exact.
    """
    if isinstance(item, float) and item.is_integer() and abs(item) < EXACT_BELOW:
        return int(item)
    return item


def encode(row: NDArray[Any]) -> dict[str, str]:
    """Write a row, of a dtype that may be declared, as `{"base64": ...}`."""
    content = np.asarray(row, dtype=LITTLE_ENDIAN[row.dtype.name]).tobytes(order="C")
    return {"base64": binascii.b2a_base64(content, newline=False).decode()}


def tensor_schema(declared: TensorInput) -> dict[str, Any]:
    """Describe in JSON Schema what `TensorReader` accepts."""
    length = math.prod(declared.row_shape) * np.dtype(LITTLE_ENDIAN[declared.dtype]).itemsize
    shape = " x ".join(map(str, declared.row_shape))
    nested: dict[str, Any] = {
        "type": "number" if declared.dtype == "float32" else "integer",
        "minimum": declared.minimum,
        "maximum": declared.maximum,
    }
    for size in reversed(declared.row_shape):
        nested = {"type": "array", "items": nested, "minItems": size, "maxItems": size}
    characters = 4 * math.ceil(length / 3)
    encoded = {
        "type": "string",
        "contentEncoding": "base64",
        "pattern": "^[A-Za-z0-9+/]*" + {0: "", 1: "[AQgw]==", 2: "[AEIMQUYcgkosw048]="}[length % 3] + "$",
        "minLength": characters,
        "maxLength": characters,
        "description": f"{length} bytes: raw little-endian {declared.dtype} in C order.",
    }
    return {
        "description": f"{declared.meaning} [{declared.unit}]: {shape} values of {declared.dtype}, "
        f"{declared.minimum} to {declared.maximum}; "
        + "; ".join(f"{summary.name} {summary.training_range}" for summary in declared.summaries)
        + ".",
        "oneOf": [
            nested | {"description": f"Nested lists, {shape}."},
            {
                "type": "object",
                "properties": {"base64": encoded},
                "required": ["base64"],
                "additionalProperties": False,
            },
        ],
    }


def summarise(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return mean and standard deviation of each row of `[n, ...]`, computed in float64: `[n, 2]`."""
    axes = tuple(range(1, values.ndim))
    mean = values.mean(axis=axes, dtype=np.float64)
    return np.stack([mean, values.std(axis=axes, dtype=np.float64)], axis=1).astype(np.float32)
