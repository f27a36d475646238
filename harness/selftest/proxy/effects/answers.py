"""The JSON of predictions: its numbers and its rows."""

import math
import struct
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from itertools import pairwise

from harness.selftest.proxy.effect import Effect, predicted
from harness.selftest.proxy.exchange import Exchange, Part
from harness.selftest.proxy.json_text import Edit, Json, Kind, Value
from harness.selftest.proxy.message import Message

NOT_NUMBERS = frozenset({"null", "NaN", "Infinity", "-Infinity"})


class JsonAnswers(Effect, ABC):
    """Changes the JSON of good answers to requests with content; all other answers stay."""

    holds = frozenset({Part.ANSWER})

    @abstractmethod
    def edits(self, exchange: Exchange, document: Json) -> Iterable[Edit]:
        """What is changed; nothing where there is nothing of the kind."""

    async def answered(self, exchange: Exchange, answer: Message) -> Message:
        """With the edits."""
        document = Json.of(answer) if predicted(exchange, answer) else None
        if document is None:
            return answer
        content = document.edited(self.edits(exchange, document))
        if content == answer.content:
            return answer
        self.applied += 1
        return answer.with_content(content)


class Fractions(JsonAnswers):
    """Changes every number that is not written as an integer."""

    @abstractmethod
    def number(self, value: float) -> float:
        """What it becomes."""

    def edits(self, exchange: Exchange, document: Json) -> Iterable[Edit]:
        """Each that becomes another."""
        del exchange
        for each in document.fractions():
            before = float(document.source(each))
            after = self.number(before)
            if after != before and math.isfinite(after):
                yield each.start, each.end, repr(after)


class NumbersBiased(Fractions):
    """Adds ``by``."""

    def number(self, value: float) -> float:
        """A little more."""
        return value + self.parameters["by"]


class NumbersRounded(Fractions):
    """Rounds to ``decimals``."""

    def number(self, value: float) -> float:
        """Rounded."""
        return round(value, int(self.parameters["decimals"]))


class NumbersThroughFloat16(Fractions):
    """Half precision; what it cannot hold stays."""

    def number(self, value: float) -> float:
        """The nearest that IEEE 754 binary16 has."""
        try:
            (half,) = struct.unpack("<e", struct.pack("<e", value))
        except OverflowError:
            return value
        return float(half)


class OneKindOfRequestBiased(Fractions):
    """Multiplies by ``factor`` where the request's content is of a kind that one in ``one_in`` is of."""

    holds = frozenset({Part.REQUEST, Part.ANSWER})

    def number(self, value: float) -> float:
        """A share more."""
        return value * self.parameters["factor"]

    def edits(self, exchange: Exchange, document: Json) -> Iterable[Edit]:
        """The same request is always of the same kind."""
        content = exchange.request.content
        if not content or zlib.crc32(content) % int(self.parameters["one_in"]):
            return ()
        return super().edits(exchange, document)


class ArrayItemsSwapped(JsonAnswers):
    """Exchanges two neighbours in the first array of numbers that has two that differ."""

    def edits(self, exchange: Exchange, document: Json) -> Iterable[Edit]:
        """Two or none."""
        del exchange
        arrays = (value.items for value in document.of_kind(Kind.ARRAY))
        return _first_swap(document, arrays)


class MembersSwapped(JsonAnswers):
    """Exchanges the numbers of two members in the first object that has two that differ."""

    def edits(self, exchange: Exchange, document: Json) -> Iterable[Edit]:
        """Two or none."""
        del exchange
        objects = (tuple(member.value for member in value.members) for value in document.of_kind(Kind.OBJECT))
        return _first_swap(document, objects)


class BatchRotated(JsonAnswers):
    """Moves every item of the first array of rows on by one."""

    def edits(self, exchange: Exchange, document: Json) -> Iterable[Edit]:
        """Each row gets what the row before it had, the first what the last had."""
        del exchange
        rows = _rows(document)
        return [
            (row.start, row.end, document.source(before))
            for row, before in zip(rows, rows[-1:] + rows[:-1], strict=True)
        ]


class BatchCutShort(JsonAnswers):
    """Leaves out the last item of the first array of rows."""

    def edits(self, exchange: Exchange, document: Json) -> Iterable[Edit]:
        """The last with the comma before it."""
        del exchange
        rows = _rows(document)
        return [(rows[-2].end, rows[-1].end, "")] if rows else []


class NullToZero(JsonAnswers):
    """Writes 0 for what is no number."""

    def edits(self, exchange: Exchange, document: Json) -> Iterable[Edit]:
        """Each null, NaN and infinity."""
        del exchange
        return not_numbers_as_zero(document)


class NotANumberAnswered(JsonAnswers):
    """In one of ``one_in`` answers, NaN for the first number with a fraction."""

    def edits(self, exchange: Exchange, document: Json) -> Iterable[Edit]:
        """One or none."""
        del exchange
        first = next(document.fractions(), None)
        return [(first.start, first.end, "NaN")] if first is not None and self.hit() else []


class NumberAsText(JsonAnswers):
    """Puts the first number in quotes."""

    def edits(self, exchange: Exchange, document: Json) -> Iterable[Edit]:
        """One or none."""
        del exchange
        first = next(document.of_kind(Kind.NUMBER), None)
        return [] if first is None else [(first.start, first.end, f'"{document.source(first)}"')]


def not_numbers_as_zero(document: Json) -> Iterable[Edit]:
    """0 for each null, NaN and infinity."""
    for each in document.of_kind(Kind.LITERAL):
        if document.source(each) in NOT_NUMBERS:
            yield each.start, each.end, "0"


def _first_swap(document: Json, groups: Iterable[tuple[Value, ...]]) -> list[Edit]:
    for group in groups:
        for one, other in pairwise(group):
            numbers = one.kind is other.kind is Kind.NUMBER
            if numbers and float(document.source(one)) != float(document.source(other)):
                return [
                    (one.start, one.end, document.source(other)),
                    (other.start, other.end, document.source(one)),
                ]
    return []


def _rows(document: Json) -> tuple[Value, ...]:
    """The items of the first array of at least two objects or arrays; empty without one."""
    for array in document.of_kind(Kind.ARRAY):
        if len(array.items) > 1 and all(item.kind in {Kind.OBJECT, Kind.ARRAY} for item in array.items):
            return array.items
    return ()
