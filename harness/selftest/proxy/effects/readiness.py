"""What a service says of its own health."""

from typing import ClassVar

from harness.selftest.proxy.effect import Effect
from harness.selftest.proxy.exchange import Exchange, Part
from harness.selftest.proxy.fault import ProxyFault
from harness.selftest.proxy.message import Message

UNAVAILABLE = 503
READY = Message.answer(200, b"{}")
NOT_READY = Message.answer(UNAVAILABLE, b"{}")


class ReadyTooEarly(Effect):
    """200 to every GET that the service answers 503, or cannot answer yet."""

    holds = frozenset({Part.HEAD, Part.ANSWER})
    stands_in: ClassVar[bool] = True

    async def answered(self, exchange: Exchange, answer: Message) -> Message:
        """All others stay."""
        if exchange.request.method != "GET" or answer.status != UNAVAILABLE:
            return answer
        self.applied += 1
        return READY

    def unanswered(self, exchange: Exchange) -> None:
        """In the service's place."""
        if exchange.request.method == "GET":
            self.applied += 1
            exchange.answer = READY


class UnreadyUnderLoad(Effect):
    """503 to every GET while ``requests`` with content are being answered."""

    holds = frozenset({Part.HEAD, Part.ANSWER})

    def __init__(self, fault: ProxyFault, credential_headers: frozenset[str] = frozenset()) -> None:
        super().__init__(fault, credential_headers)
        self._asked: set[Exchange] = set()

    async def asked(self, exchange: Exchange) -> None:
        """It stays; that it is asked is remembered."""
        if exchange.carries:
            self._asked.add(exchange)

    async def answered(self, exchange: Exchange, answer: Message) -> Message:
        """All others stay."""
        if exchange.request.method != "GET" or len(self._asked) < self.parameters["requests"]:
            return answer
        self.applied += 1
        return NOT_READY

    def over(self, exchange: Exchange) -> None:
        """It is asked no longer."""
        self._asked.discard(exchange)
