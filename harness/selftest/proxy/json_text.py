"""JSON as text with the places of its values, so that one is changed and all others stay as they are.

Reading a document and writing it again would turn ``0.00001`` into ``1e-05``, or cut the 18th digit of a
number that nobody meant to change. Here a change replaces the characters of a value; every other byte stays.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Self

from harness.selftest.proxy.message import Message

Edit = tuple[int, int, str]
"""From, to, and what comes there."""

_TOKEN = re.compile(
    r"""[ \t\n\r]*(?:
    (?P<string>"(?:[^"\\]|\\.)*")
    |(?P<literal>true|false|null|NaN|-?Infinity)
    |(?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    |(?P<mark>[\[\]{},:])
    )""",
    re.VERBOSE | re.DOTALL,
)


class Kind(Enum):
    """Of a value."""

    OBJECT = "object"
    ARRAY = "array"
    STRING = "string"
    NUMBER = "number"
    LITERAL = "literal"


@dataclass(frozen=True)
class Value:
    """A value and where it stands."""

    kind: Kind
    start: int
    end: int
    members: tuple["Member", ...] = ()
    items: tuple["Value", ...] = ()

    def walk(self) -> Iterator["Value"]:
        """It and all within it, in the order of the text."""
        yield self
        for value in (*(member.value for member in self.members), *self.items):
            yield from value.walk()


@dataclass(frozen=True)
class Member:
    """A member of an object; ``start`` and ``end`` are those of its name, quotes included."""

    name: str
    start: int
    end: int
    value: Value


@dataclass(frozen=True)
class Json:
    """A document."""

    text: str
    root: Value

    @classmethod
    def of(cls, message: Message) -> Self | None:
        """The content of a message that says it is JSON and is; None for any other.

        NaN and Infinity are taken too, as many services do.
        """
        return cls.parse(message.content) if message.says_json else None

    @classmethod
    def parse(cls, content: bytes) -> Self | None:
        """None for what is no JSON in UTF-8, or nested too deep."""
        try:
            text = content.decode()
            json.loads(text)
            return cls(text, _Reader(text).value())
        except (ValueError, RecursionError):
            return None

    def source(self, value: Value) -> str:
        """A value as it is written."""
        return self.text[value.start : value.end]

    def of_kind(self, kind: Kind) -> Iterator[Value]:
        """All values of a kind."""
        return (value for value in self.root.walk() if value.kind is kind)

    def fractions(self) -> Iterator[Value]:
        """Numbers that are not written as integers."""
        return (
            value for value in self.of_kind(Kind.NUMBER) if not self.source(value).lstrip("-").isdecimal()
        )

    def integers(self) -> Iterator[Value]:
        """Numbers that are."""
        return (value for value in self.of_kind(Kind.NUMBER) if self.source(value).lstrip("-").isdecimal())

    def edited(self, edits: Iterable[Edit]) -> bytes:
        """The text with some of it replaced; the edits must not overlap."""
        pieces, at = [], 0
        for start, end, text in sorted(edits):
            pieces += [self.text[at:start], text]
            at = end
        return "".join([*pieces, self.text[at:]]).encode()


class _Reader:
    """Reads what ``json`` has found to be well-formed."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def value(self) -> Value:
        """The next value."""
        token = self._next()
        start = token.start(token.lastgroup or 0)
        if token.lastgroup != "mark":
            return Value(Kind(token.lastgroup), start, token.end())
        return self._object(start) if token["mark"] == "{" else self._array(start)

    def _object(self, start: int) -> Value:
        members: list[Member] = []
        while (token := self._next())["mark"] != "}":
            if token["mark"] == ",":
                continue
            name = token["string"]
            self._next()  # the colon
            members.append(Member(json.loads(name), token.start("string"), token.end(), self.value()))
        return Value(Kind.OBJECT, start, self._at, members=tuple(members))

    def _array(self, start: int) -> Value:
        items: list[Value] = []
        while True:
            before = self._at
            mark = self._next()["mark"]
            if mark == "]":
                return Value(Kind.ARRAY, start, self._at, items=tuple(items))
            if mark != ",":
                self._at = before
                items.append(self.value())

    def _next(self) -> re.Match[str]:
        token = _TOKEN.match(self._text, self._at)
        if token is None:
            raise ValueError(f"no JSON at {self._at}")
        self._at = token.end()
        return token
