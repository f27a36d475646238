"""Answers that are right, and do not arrive as they should."""

from typing import ClassVar

from harness.selftest.proxy.effect import Effect
from harness.selftest.proxy.exchange import Delivery, Exchange, Part
from harness.selftest.proxy.message import Message


class DeliveredOtherwise(Effect):
    """One of ``one_in`` answers to requests with content."""

    holds = frozenset({Part.ANSWER})
    delivery: ClassVar[Delivery]

    async def answered(self, exchange: Exchange, answer: Message) -> Message:
        """The same."""
        if exchange.carries and self.hit():
            self.applied += 1
            exchange.delivery = self.delivery
        return answer


class ConnectionDropped(DeliveredOtherwise):
    """Reset in place of the answer."""

    delivery: ClassVar[Delivery] = Delivery.DROPPED


class BodyCut(DeliveredOtherwise):
    """Closed in the middle of the body."""

    delivery: ClassVar[Delivery] = Delivery.CUT


class ByteByByte(DeliveredOtherwise):
    """In pieces of one byte."""

    delivery: ClassVar[Delivery] = Delivery.BYTE_BY_BYTE


class ClosedUnannounced(DeliveredOtherwise):
    """Closed after an answer that promised to keep the connection."""

    delivery: ClassVar[Delivery] = Delivery.THEN_CLOSED
