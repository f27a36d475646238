"""What a fault does to the traffic: the hooks that a connection calls."""

import asyncio
import random
import time
from typing import ClassVar

from harness.selftest.proxy.exchange import SUCCESS, Exchange, Part
from harness.selftest.proxy.fault import ProxyFault
from harness.selftest.proxy.message import Message

_TICK_S = 1e-3
"""An event loop rounds every wait up to a whole one of these, a thread does not."""
USUAL_CREDENTIALS = frozenset({"authorization", "cookie", "x-api-key", "api-key", "x-auth-token"})


class Effect:
    """One for a whole proxy, so it may remember; this one does nothing.

    All connections share a thread: what has no ``await`` in it is not interrupted.

    Args:
        fault: Its parameters and its seed.
        credential_headers: In lower case: those that the suite sends credentials in, besides the usual ones.

    Attributes:
        holds: What it has to see as a whole; the rest goes on as it comes.
        stands_in: Whether it answers for a service that cannot be reached.
        applied: How often it did something. What asks for 100-continue, an event stream and what is larger
            than the proxy holds is carried as it is.
    """

    holds: frozenset[Part] = frozenset()
    stands_in: ClassVar[bool] = False

    def __init__(self, fault: ProxyFault, credential_headers: frozenset[str] = frozenset()) -> None:
        self.parameters = fault.parameters
        draw = random.Random(fault.seed)  # noqa: S311 - which requests are hit, no secret
        self._one_in = OneIn(self.parameters.get("one_in", 1), draw)
        self.credential_headers = USUAL_CREDENTIALS | credential_headers
        self.applied = 0

    async def opened(self) -> None:
        """A client connected; called before the connection to the service is made."""

    async def asked(self, exchange: Exchange) -> None:
        """A request is about to be sent on; only where it, or its head, is held."""

    async def answered(self, exchange: Exchange, answer: Message) -> Message:
        """What the client gets in place of ``answer``; only where answers are held."""
        del exchange
        return answer

    def unanswered(self, exchange: Exchange) -> None:
        """The service ended the connection in place of answering; only for an effect that stands in."""

    def over(self, exchange: Exchange) -> None:
        """The answer has gone out, or never will."""

    def hit(self) -> bool:
        """Whether it is this one's turn: that of exactly one of each ``one_in`` that ask in a row."""
        return self._one_in.hit()

    async def wait(self, seconds: float) -> None:
        """Keep somebody waiting."""
        self.applied += 1
        until_s = time.monotonic() + seconds
        if seconds > _TICK_S:
            await asyncio.sleep(seconds - _TICK_S)
        if (left_s := until_s - time.monotonic()) > 0.0:
            await asyncio.to_thread(time.sleep, left_s)


class Idle(Effect):
    """Holds what another effect holds, and does nothing: what that costs is no part of what it does.

    Args:
        other: The effect of the fault.
        fault: As for any.
        credential_headers: As for any.
    """

    def __init__(
        self, other: type[Effect], fault: ProxyFault, credential_headers: frozenset[str] = frozenset()
    ) -> None:
        super().__init__(fault, credential_headers)
        self.holds = other.holds


class OneIn:
    """Hits exactly one of each ``of`` that come in a row, wherever in the row.

    So a fault that hits one in 500 surely hits among 1,000, which independent draws would not.
    """

    def __init__(self, of: float, draw: random.Random) -> None:
        self._of = int(of)
        self._draw = draw
        self._count = 0
        self._chosen = 0

    def hit(self) -> bool:
        """Whether it is this one."""
        place = self._count % self._of
        if place == 0:
            self._chosen = self._draw.randrange(self._of)
        self._count += 1
        return place == self._chosen


def predicted(exchange: Exchange, answer: Message) -> bool:
    """Whether this is a good answer to a request with content."""
    return exchange.carries and answer.status in SUCCESS
