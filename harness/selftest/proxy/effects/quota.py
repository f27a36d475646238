"""How often one may ask: quotas that do not hold, hold too early, or are charged twice."""

import asyncio
import contextlib

from harness.selftest.proxy.effect import Effect
from harness.selftest.proxy.effects.statuses import GoodAnswersReplaced
from harness.selftest.proxy.exchange import SUCCESS, Exchange, Part, Service
from harness.selftest.proxy.fault import ProxyFault
from harness.selftest.proxy.message import Message

THROTTLED = 429
AGAIN_TIMEOUT_S = 10.0
PIECE_BYTES = 64 * 1024


class QuotaNotEnforced(Effect):
    """In place of 429, the last good answer to the same method and target."""

    holds = frozenset({Part.ANSWER})

    def __init__(self, fault: ProxyFault, credential_headers: frozenset[str] = frozenset()) -> None:
        super().__init__(fault, credential_headers)
        self._good: dict[tuple[str, str], Message] = {}

    async def answered(self, exchange: Exchange, answer: Message) -> Message:
        """All others stay."""
        if answer.status in SUCCESS:
            self._good[exchange.key] = answer
        if answer.status != THROTTLED or exchange.key not in self._good:
            return answer
        self.applied += 1
        return self._good[exchange.key]


class ThrottledAtRandom(GoodAnswersReplaced):
    """429, whoever asks."""

    def instead_of(self, answer: Message) -> Message:
        """With the wait that a client expects."""
        del answer
        return Message.answer(THROTTLED, b"{}").with_header("Retry-After", "1")


class ChargedTwice(Effect):
    """Asks the service the same once more, on a connection of its own, and throws that answer away."""

    holds = frozenset({Part.REQUEST})

    async def asked(self, exchange: Exchange) -> None:
        """The request itself stays."""
        if not exchange.carries:
            return
        again = exchange.request.with_header("Connection", "close").raw
        with contextlib.suppress(OSError):  # and so a service that keeps the connection, at the timeout
            async with asyncio.timeout(AGAIN_TIMEOUT_S):
                await _ask(exchange.service, again)
        self.applied += 1


async def _ask(service: Service, request: bytes) -> None:
    """Ask on a connection of its own, and read to its end."""
    reader, writer = await asyncio.open_connection(service.host, service.port)
    try:
        writer.write(request)
        while await reader.read(PIECE_BYTES):
            pass
    finally:
        writer.close()
