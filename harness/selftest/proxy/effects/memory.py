"""Answers that belong to somebody else: kept too long, or mixed up."""

from harness.selftest.proxy.effect import Effect, predicted
from harness.selftest.proxy.exchange import Exchange, Part
from harness.selftest.proxy.fault import ProxyFault
from harness.selftest.proxy.message import Message

MOST_KEPT = 10_000


class StaleAnswer(Effect):
    """In place of one of ``one_in`` good answers, the one before it to the same method and target."""

    holds = frozenset({Part.ANSWER})

    def __init__(self, fault: ProxyFault, credential_headers: frozenset[str] = frozenset()) -> None:
        super().__init__(fault, credential_headers)
        self._before: dict[tuple[str, str], Message] = {}

    async def answered(self, exchange: Exchange, answer: Message) -> Message:
        """As a whole, headers too."""
        if not predicted(exchange, answer):
            return answer
        before = self._before.get(exchange.key, answer)
        self._before[exchange.key] = answer
        if not self.hit() or before.content == answer.content:
            return answer
        self.applied += 1
        return before


class CachedForAnybody(Effect):
    """Keeps good answers by method, target and content, whoever asks, and asks the service no second time."""

    holds = frozenset({Part.REQUEST, Part.ANSWER})

    def __init__(self, fault: ProxyFault, credential_headers: frozenset[str] = frozenset()) -> None:
        super().__init__(fault, credential_headers)
        self._kept: dict[tuple[tuple[str, str], bytes], Message] = {}

    async def asked(self, exchange: Exchange) -> None:
        """From what is kept."""
        exchange.answer = self._kept.get((exchange.key, exchange.request.content))
        self.applied += exchange.answer is not None

    async def answered(self, exchange: Exchange, answer: Message) -> Message:
        """The first one is kept."""
        content = exchange.request.content
        if predicted(exchange, answer) and content and len(self._kept) < MOST_KEPT:
            self._kept.setdefault((exchange.key, content), answer)
        return answer


class MixedUpUnderConcurrency(Effect):
    """An answer that is made while others are asked for is the one made just before it."""

    holds = frozenset({Part.HEAD, Part.ANSWER})

    def __init__(self, fault: ProxyFault, credential_headers: frozenset[str] = frozenset()) -> None:
        super().__init__(fault, credential_headers)
        self._asked: set[Exchange] = set()
        self._shared: dict[tuple[str, str], Message] = {}

    async def asked(self, exchange: Exchange) -> None:
        """It stays; that it is asked is remembered."""
        if exchange.carries:
            self._asked.add(exchange)

    async def answered(self, exchange: Exchange, answer: Message) -> Message:
        """Good answers alone; alone, each gets its own."""
        if not predicted(exchange, answer):
            return answer
        beside = any(other is not exchange and other.key == exchange.key for other in self._asked)
        before = self._shared.get(exchange.key, answer) if beside else answer
        self._shared[exchange.key] = answer
        if before.content == answer.content:
            return answer
        self.applied += 1
        return before

    def over(self, exchange: Exchange) -> None:
        """It is asked no longer."""
        self._asked.discard(exchange)
