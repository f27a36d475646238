"""Which members of the answers are outputs to compare, and how far they may be off; pure."""

import math
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.checks.golden.limits import Tolerance
from harness.checks.golden.settings import FLOATS, OF_AN_OUTPUT, OTHER_FINDINGS, Dtype, OutputSettings
from harness.checks.golden.wire import WireError, leaves
from harness.golden.envelope import Envelope, round_up
from harness.openapi.document import join
from harness.pointer import resolve
from harness.suite_init.asking import Kept

MARGIN = 4.0
"""Times the largest difference of two answers, as `harness golden calibrate` has it."""
OF_EACH, OF_THE_LARGEST = 1e-5, 1e-6
"""Shares of a value, and of the largest beside it, that float32 may differ by on another processor or release
of the runtime: some hundred times and ten times its relative spacing, which is 1.2e-7."""
VOLATILE_SHARE = 0.01
"""A float that differs by more of the largest magnitude is no result of the same computation."""
MOST_OUTPUTS = 32
MOST_ITEMS = 16
MOST_POINTER = 200
MOST_LEFT_OUT = 20
NOT_A_RESULT = frozenset(
    {"id", "uuid", "version"}
    | {"time", "timestamp", "date", "created", "latency", "duration", "elapsed", "took", "ms"}
)
OF_AN_ERROR = frozenset({"error", "errors", "detail", "message"})
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
INTEGER_BITS = 63


@dataclass
class Outputs:
    """What was found.

    Attributes:
        settings: By name.
        tolerances: Of the floats; those that were whole numbers and equal have none.
        left_out: Why a member is not compared, by pointer.
    """

    settings: dict[str, OutputSettings] = field(default_factory=dict)
    tolerances: dict[str, Tolerance] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def find_outputs(kept: Sequence[Kept]) -> Outputs:
    """Look at all answers together; at least one pair is needed."""
    found = Outputs()
    settings: list[OutputSettings] = []
    envelopes: list[Envelope] = []
    for pointer, output, why in _places(
        "", [answer for each in kept for answer in (each.first, each.second)]
    ):
        envelope = None if output is None else _envelope(output, kept)
        if output is None:
            reason = why
        elif envelope is None:
            reason = f"is not always a {output.dtype}"
        elif len(settings) >= MOST_OUTPUTS:
            reason = f"more than {MOST_OUTPUTS} outputs"
        elif not (reason := _reason(output, envelope)):
            settings.append(output)
            envelopes.append(envelope)
        if reason and len(found.left_out) < MOST_LEFT_OUT:
            found.left_out[pointer[:MOST_POINTER]] = reason
    for name, output, envelope in zip(_names(settings), settings, envelopes, strict=True):
        found.settings[name] = output
        if output.dtype in FLOATS and (tolerance := _tolerance(output, envelope, kept)) is not None:
            found.tolerances[name] = tolerance
    return found


def _tolerance(output: OutputSettings, envelope: Envelope, kept: Sequence[Kept]) -> Tolerance | None:
    """What was seen, with a margin, and room for another machine; None for whole numbers that were equal."""
    numbers = [
        float(value)
        for each in kept
        for value in leaves(resolve(each.first, output.pointer), output).values()
    ]
    seen = envelope.proposal(MARGIN)
    if seen is None and all(number.is_integer() for number in numbers):
        return None
    largest = round_up(OF_THE_LARGEST * max(map(abs, numbers)))
    room, answers = "room for float32 on another machine", f"two answers to {len(kept)} cases"
    if seen is None:
        source = f"{room}, by harness init; {answers} were equal"
        return Tolerance(atol=largest, rtol=OF_EACH, source=source)
    source = f"{MARGIN:g} times the largest difference of {answers}, at least {room}, by harness init"
    return Tolerance(atol=max(seen.atol, largest), rtol=max(seen.rtol, OF_EACH), source=source)


def doubt(found: Outputs, kept: Sequence[Kept]) -> str:
    """Why the answers look like no result of a computation; empty where they do not."""
    pointers = [output.pointer for output in found.settings.values()]
    first, *others = [[resolve(each.first, pointer) for pointer in pointers] for each in kept]
    if others and all(values == first for values in others):
        return "every answer was the same, whatever was asked: is it a result?"
    errors = [pointer for pointer in pointers if pointer.rpartition("/")[2].lower() in OF_AN_ERROR]
    return f"{errors[0]} is that of an error, by its name: is it a result?" if errors else ""


def _reason(output: OutputSettings, envelope: Envelope) -> str:
    """Why it is no output to compare; empty where it is one."""
    last = output.pointer.rpartition("/")[2]
    if NOT_A_RESULT & {word.lower() for word in WORD.findall(last)}:
        return "an id, a version or a time, by its name"
    if envelope.broken or (envelope.max_error and output.dtype not in FLOATS):
        return "differs when the same is asked twice"
    largest = math.ldexp(1.0, min(max(envelope.largest, default=0), sys.float_info.max_exp - 1))
    if envelope.max_error > VOLATILE_SHARE * largest:
        return "differs by more than 1 % when the same is asked twice"
    return ""


def _envelope(output: OutputSettings, kept: Sequence[Kept]) -> Envelope | None:
    """How far second answers are from first ones; None where a value is not as its output is declared."""
    envelope = Envelope()
    try:
        for each in kept:
            before = leaves(resolve(each.first, output.pointer), output)
            after = leaves(resolve(each.second, output.pointer), output)
            for place, value in before.items():
                envelope.add(value, after[place])
    except WireError:
        return None
    return envelope


def _places(pointer: str, values: Sequence[Any]) -> Iterator[tuple[str, OutputSettings | None, str]]:
    """Each place of the answers with the output it may be, or why it is none; of all answers together."""
    if all(isinstance(value, dict) for value in values):
        yield from _members(pointer, values)
        return
    shapes = {_shape(value) for value in values}
    kind = _dtype([leaf for value in values for leaf in _flat(value)])
    if len(shapes) == 1 and (shape := shapes.pop()) is not None and kind is not None:
        yield pointer, OutputSettings(pointer=pointer, dtype=kind, shape=shape), ""
    elif not all(isinstance(value, list) for value in values):
        yield pointer, None, "is null or of another type now and then"
    elif len({len(value) for value in values}) > 1:
        yield pointer, None, "its length is not the same in every answer"
    elif not values[0]:
        yield pointer, None, "is empty"
    elif len(values[0]) > MOST_ITEMS:
        yield pointer, None, f"an array of objects with more than {MOST_ITEMS} items"
    else:
        for index in range(len(values[0])):
            yield from _places(join(pointer, str(index)), [value[index] for value in values])


def _members(
    pointer: str, values: Sequence[dict[str, Any]]
) -> Iterator[tuple[str, OutputSettings | None, str]]:
    keys = list(dict.fromkeys(key for value in values for key in value))
    everywhere = [key for key in keys if all(key in value for value in values)]
    scores = all(_dtype([value[key] for value in values]) in FLOATS for key in everywhere)
    if keys == everywhere and len(keys) > 1 and scores:
        yield pointer, OutputSettings(pointer=pointer, dtype="float64", keys=tuple(keys)), ""
        return
    if not keys:
        yield pointer, None, "is empty"
    for key in keys:
        if len(key) > MOST_POINTER or not key.isprintable():
            yield join(pointer, key), None, "its name is too long or not to be printed"
        elif key in everywhere:
            yield from _places(join(pointer, key), [value[key] for value in values])
        else:
            yield join(pointer, key), None, "is not in every answer"


def _shape(value: Any) -> tuple[int, ...] | None:
    """Of an array of scalars, () for a scalar; None for an object, null, and what is ragged or empty."""
    if not isinstance(value, list):
        return None if value is None or isinstance(value, dict) else ()
    inner = {_shape(item) for item in value}
    if len(inner) != 1 or (shape := inner.pop()) is None:
        return None
    return (len(value), *shape)


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _flat(item)
    else:
        yield value


def _dtype(values: Sequence[Any]) -> Dtype | None:
    """What all scalars have in common; None for nothing. A service may write 1.0 as 1."""
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return "bool"
    if kinds == {str}:
        return "string"
    if kinds == {int} and all(value.bit_length() <= INTEGER_BITS for value in values):
        return "int64"
    return "float64" if kinds and kinds <= {int, float} else None


def _names(outputs: Sequence[OutputSettings]) -> list[str]:
    """A name for each: the last key of its pointer, or all of them where that would not do."""
    last = [_name(output.pointer.rpartition("/")[2]) for output in outputs]
    often, names = Counter(last), list[str]()
    for short, output in zip(last, outputs, strict=True):
        name = short
        if often[short] > 1 or short.isdigit() or short in (*OTHER_FINDINGS, *OF_AN_OUTPUT):
            name = _name(f"output{output.pointer}")
        while name in names:
            name += "_"
        names.append(name)
    return names


def _name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text)[:64] or "output"
