"""Bodies to ask with: the examples that there are, varied, or made from a schema; pure, by a seed."""

import base64
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.openapi.document import Document, Node
from harness.openapi.model import OpenAPIError
from harness.openapi.validation import SchemaValidator
from harness.suite_init.endpoint import Asked

VARIED_BY = 0.1
"""Share by which the numbers of an example are moved at most."""
MOST_LEVELS = 12
MOST_TRIES = 10
MOST_VALUES = 100_000
"""In all bodies together."""
WIDE = 1e4
"""A bound beyond this is that of a type, and no hint of what a plausible value is."""
USUAL_LENGTH = 3
MOST_LENGTH = 1024
WORDS = ("alpha", "beta", "gamma", "delta", "one", "two", "three", "four")
FORMATS = {
    "date": "2026-01-15",
    "date-time": "2026-01-15T12:00:00Z",
    "time": "12:00:00Z",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
    "email": "somebody@example.com",
    "uri": "https://example.com/",
    "ipv4": "192.0.2.1",
}
IN_BASE64 = frozenset({"byte", "binary"})


@dataclass(frozen=True)
class Samples:
    """Bodies, and where they come from, in words."""

    bodies: Sequence[Any]
    source: str


def samples(asked: Asked, document: Document | None, given: Sequence[Any], count: int, seed: int) -> Samples:
    """At most ``count`` different bodies; the same seed gives the same ones.

    Args:
        asked: What the service's document says of the body.
        document: That document, None without one.
        given: Bodies of the user. Several are asked as they are, one is varied.
        count: How many.
        seed: Of the variation.

    Raises:
        OpenAPIError: the schema can't be read.
    """
    if len(given) > 1:
        return Samples(given[:count], "The user's bodies")
    generator = np.random.default_rng(seed)
    schema = asked.schema
    sampler = None if document is None else Sampler(document, generator)
    fits = _fitting(document, schema)
    examples = list(given or asked.examples)
    if not examples and sampler is not None and schema is not None:
        examples = sampler.examples(schema)
    varying = f"fractions varied by up to {VARIED_BY:.0%} by seed {seed}"
    if given or (
        examples and (schema is None or _text(varied(examples[0], generator)) != _text(examples[0]))
    ):
        found = _distinct(
            examples, lambda turn: varied(examples[turn % len(examples)], generator), count, fits
        )
        whose = "The user's body" if given else "The examples of the OpenAPI document"
        return Samples(found, f"{whose}, {varying}")
    if sampler is None or schema is None:
        return Samples(examples[:count], "The examples of the OpenAPI document")
    found = _distinct(examples, lambda _turn: sampler.make(schema), count, fits)
    return Samples(found, f"Made from the schema of the OpenAPI document by seed {seed}")


def _distinct(
    first: Sequence[Any], another: Callable[[int], Any], count: int, fits: Callable[[Any], bool]
) -> list[Any]:
    """Those given and further ones; what does not fit is left out, unless nothing does."""
    if not all(map(fits, first)):
        fits = _anything
    found = {_text(body): body for body in first}
    others: dict[str, Any] = {}
    for turn in range(MOST_TRIES * count):
        if len(found) >= count:
            break
        body = another(turn)
        (found if fits(body) else others).setdefault(_text(body), body)
    return list((found or others).values())[:count]


def _fitting(document: Document | None, schema: Node | None) -> Callable[[Any], bool]:
    """Whether a body fits the schema; everything does where there is none that can be used."""
    if document is None or schema is None:
        return _anything
    validator = SchemaValidator(document.root.body)
    try:
        validator.problem(schema.pointer, None)
    except OpenAPIError:
        return _anything
    return lambda body: not validator.problem(schema.pointer, body)


def _anything(_body: Any) -> bool:
    return True


def _text(body: Any) -> str:
    return json.dumps(body, sort_keys=True)


def varied(body: Any, generator: np.random.Generator) -> Any:
    """The same with each float moved by up to a tenth; integers may be names of things."""
    match body:
        case float() if math.isfinite(body):
            return _short(body * (1 + generator.uniform(-VARIED_BY, VARIED_BY)))
        case list():
            return [varied(item, generator) for item in body]
        case dict():
            return {key: varied(value, generator) for key, value in body.items()}
        case _:
            return body


def _short(number: float) -> float:
    return float(f"{number:.6g}")


class Sampler:
    """Makes plausible values of schemas, not every one that they allow."""

    def __init__(self, document: Document, generator: np.random.Generator) -> None:
        self._document = document
        self._generator = generator
        self._left = MOST_VALUES

    def examples(self, schema: Node) -> list[Any]:
        """Those that a schema gives of itself as a whole."""
        schema = self._document.follow(schema)
        single = schema.child("example")
        listed = schema.child("examples")
        several = listed.body if listed is not None and isinstance(listed.body, list) else []
        return [*([] if single is None else [single.body]), *several]

    def make(self, schema: Node, level: int = 0) -> Any:
        """One value.

        Raises:
            OpenAPIError: the schema can't be read.
        """
        self._left -= 1
        if not isinstance(schema.body, dict) or level > MOST_LEVELS or self._left < 0:
            return None  # true, false, a schema that holds itself, or one that multiplies
        schema = self._document.follow(schema)
        if fixed := self._fixed(schema):
            return self._one_of(fixed)
        if examples := self.examples(schema):
            return varied(self._one_of(examples), self._generator)
        if parts := schema.elements("allOf"):
            return self._joined(schema, parts, level)
        if options := [*schema.elements("oneOf"), *schema.elements("anyOf")]:
            useful = [option for option in options if self._type(option) != "null"]
            return self.make((useful or options)[0], level + 1)
        return self._of_type(schema, level)

    def _fixed(self, schema: Node) -> list[Any]:
        """What it may be and nothing else, or is by default."""
        fixed = [value.body for key in ("const", "default") if (value := schema.child(key)) is not None]
        return [value for value in fixed if value is not None] or [
            choice.body for choice in schema.elements("enum")
        ]

    def _one_of(self, choices: Sequence[Any]) -> Any:
        return choices[int(self._generator.integers(len(choices)))]

    def _joined(self, schema: Node, parts: Sequence[Node], level: int) -> Any:
        made = [self.make(part, level + 1) for part in parts]
        if not all(isinstance(value, dict) for value in made):
            return made[0]
        own = self._object(schema, level) if "properties" in schema.fields else {}
        return {key: value for members in (*made, own) for key, value in members.items()}

    def _type(self, schema: Node) -> str:
        """The declared type, null left aside, or that which its keys tell."""
        schema = self._document.follow(schema)
        declared = schema.child("type")
        if declared is not None and isinstance(declared.body, list):
            names = [name for name in declared.body if isinstance(name, str)]
            return next((name for name in names if name != "null"), "null")
        if declared is not None:
            return declared.as_text()
        told = {"properties": "object", "items": "array", "prefixItems": "array", "pattern": "string"}
        return next((name for key, name in told.items() if key in schema.fields), "number")

    def _of_type(self, schema: Node, level: int) -> Any:
        made: Any = None
        match self._type(schema):
            case "object":
                made = self._object(schema, level)
            case "array":
                made = list(self._items(schema, level))
            case "integer":
                low, high = _range(schema, 0, 10)
                least = math.ceil(low)  # beyond the other bound where no integer lies between them
                made = int(self._generator.integers(least, max(least, math.floor(high)) + 1))
            case "number":
                low, high = _range(schema, -1, 1)
                # Away from the ends, which may be excluded.
                made = _short(low + (high - low) * self._generator.uniform(0.05, 0.95))
            case "boolean":
                made = bool(self._generator.integers(2))
            case "string":
                made = self._string(schema)
        return made

    def _object(self, schema: Node, level: int) -> dict[str, Any]:
        """Of its members those that are required, or all where none is."""
        members = schema.members("properties")
        required = set(schema.names("required"))
        return {
            name: self.make(member, level + 1)
            for name, member in members.items()
            if name in required or not required
        }

    def _items(self, schema: Node, level: int) -> Iterator[Any]:
        first = schema.elements("prefixItems")
        for item in first:
            yield self.make(item, level + 1)
        least, most = _bound(schema, "minItems"), _bound(schema, "maxItems")
        length = min(int(least or min(most or math.inf, USUAL_LENGTH)), MOST_LENGTH)
        if (each := schema.child("items")) is not None:
            for _ in range(length - len(first)):
                yield self.make(each, level + 1)

    def _string(self, schema: Node) -> str:
        kind = schema.text("format") or schema.text("contentEncoding") or ""
        if kind in IN_BASE64 or kind == "base64":
            return base64.b64encode(self._generator.bytes(12)).decode()
        if kind in FORMATS:
            return FORMATS[kind]
        text = f"{self._one_of(WORDS)} {self._one_of(WORDS)}"
        least, most = _bound(schema, "minLength") or 0, _bound(schema, "maxLength")
        text = text.ljust(min(int(least), MOST_LENGTH), "a")
        return text if most is None else text[: int(most)]


def _range(schema: Node, low: float, high: float) -> tuple[float, float]:
    """The declared bounds; one that is missing is as far from the other as the usual ones are."""
    least, most = (
        next(
            (found for key in keys if (found := _bound(schema, key)) is not None and abs(found) <= WIDE), None
        )
        for keys in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum"))
    )
    width = high - low
    if least is not None:
        return least, max(most, least) if most is not None else max(high, least + width)
    return (low, high) if most is None else (min(low, most - width), most)


def _bound(schema: Node, key: str) -> float | None:
    """A number that bounds; OpenAPI 3.0 has flags of the same names, which are none."""
    value = schema.child(key)
    if value is None or isinstance(value.body, bool) or not isinstance(value.body, int | float):
        return None
    return value.body
