"""Answers that are right, and late."""

import asyncio
import time
from abc import ABC, abstractmethod

from harness.selftest.proxy.effect import Effect
from harness.selftest.proxy.exchange import Exchange, Part
from harness.selftest.proxy.fault import ProxyFault
from harness.selftest.proxy.message import Message

MS = 1000.0


class Late(Effect, ABC):
    """Holds answers to requests with content back; it changes nothing in them."""

    holds = frozenset({Part.ANSWER})

    @abstractmethod
    def late_s(self, exchange: Exchange) -> float:
        """How long this one waits; called once for each."""

    async def answered(self, exchange: Exchange, answer: Message) -> Message:
        """The same, later."""
        late_s = self.late_s(exchange) if exchange.carries else 0.0
        if late_s > 0.0:
            await self.wait(late_s)
        return answer


class Stalled(Late):
    """One of ``one_in``, by ``stall_ms``."""

    def late_s(self, exchange: Exchange) -> float:
        """The same for all that are hit."""
        del exchange
        return self.parameters["stall_ms"] / MS if self.hit() else 0.0


class Slower(Late):
    """Each by a ``share`` of its own time."""

    def late_s(self, exchange: Exchange) -> float:
        """From the end of the request to the end of the answer, as the proxy saw them."""
        return self.parameters["share"] * (time.monotonic() - exchange.sent_at)


class SlowerWithUse(Slower):
    """Each by a ``share`` of its own time, after so many ``requests``."""

    def __init__(self, fault: ProxyFault, credential_headers: frozenset[str] = frozenset()) -> None:
        super().__init__(fault, credential_headers)
        self._asked = 0

    def late_s(self, exchange: Exchange) -> float:
        """Nothing before that."""
        self._asked += 1
        return super().late_s(exchange) if self._asked > self.parameters["requests"] else 0.0


class FirstRequestSlow(Late):
    """The first after the start, by ``late_s``."""

    def __init__(self, fault: ProxyFault, credential_headers: frozenset[str] = frozenset()) -> None:
        super().__init__(fault, credential_headers)
        self._late_s = self.parameters["late_s"]

    def late_s(self, exchange: Exchange) -> float:
        """Once."""
        del exchange
        late_s, self._late_s = self._late_s, 0.0
        return late_s


class LargeRequestsSlow(Late):
    """Requests more than ``times`` as long as the shortest seen, by ``late_ms``."""

    holds = frozenset({Part.REQUEST, Part.ANSWER})

    def __init__(self, fault: ProxyFault, credential_headers: frozenset[str] = frozenset()) -> None:
        super().__init__(fault, credential_headers)
        self._shortest = float("inf")

    def late_s(self, exchange: Exchange) -> float:
        """By the length of the content."""
        length = len(exchange.request.content)
        self._shortest = min(self._shortest, length or self._shortest)
        late = length > self.parameters["times"] * self._shortest
        return self.parameters["late_ms"] / MS if late else 0.0


class OneAtATime(Effect):
    """Sends a request with content on only when the one before it is answered."""

    holds = frozenset({Part.REQUEST})

    def __init__(self, fault: ProxyFault, credential_headers: frozenset[str] = frozenset()) -> None:
        super().__init__(fault, credential_headers)
        self._lock = asyncio.Lock()
        self._holder: Exchange | None = None

    async def asked(self, exchange: Exchange) -> None:
        """Waits for its turn."""
        if exchange.carries:
            self.applied += self._lock.locked()
            await self._lock.acquire()
            self._holder = exchange

    def over(self, exchange: Exchange) -> None:
        """It is the next one's turn."""
        if exchange is self._holder:
            self._holder = None
            self._lock.release()


class ConnectionsSlow(Effect):
    """Every new connection waits ``late_ms`` before it is served."""

    async def opened(self) -> None:
        """Whatever is then asked over it."""
        await self.wait(self.parameters["late_ms"] / MS)
