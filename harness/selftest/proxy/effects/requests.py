"""The JSON of requests: what a service takes that it should not."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable

from harness.selftest.proxy.effect import Effect
from harness.selftest.proxy.effects.answers import JsonAnswers, not_numbers_as_zero
from harness.selftest.proxy.exchange import Exchange, Part
from harness.selftest.proxy.json_text import Edit, Json, Kind

EXACT = 2**53
"""Beyond it a double has no place for every integer."""
MOST_DIGITS = 300
"""A double holds no larger integer."""
NUMBER_IN_QUOTES = re.compile(r'"(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?)"')


class JsonRequests(Effect, ABC):
    """Changes the JSON of requests with content before the service sees them."""

    holds = frozenset({Part.REQUEST})

    @abstractmethod
    def request_edits(self, document: Json) -> Iterable[Edit]:
        """What is changed; nothing where there is nothing of the kind."""

    async def asked(self, exchange: Exchange) -> None:
        """With the edits."""
        document = Json.of(exchange.request) if exchange.carries else None
        if document is None:
            return
        content = document.edited(self.request_edits(document))
        if content != exchange.request.content:
            self.applied += 1
            exchange.request = exchange.request.with_content(content)


class NullTakenForZero(JsonRequests):
    """Hands on 0 for what is no number."""

    def request_edits(self, document: Json) -> Iterable[Edit]:
        """Each null, NaN and infinity."""
        return not_numbers_as_zero(document)


class TextTakenForNumber(JsonRequests):
    """Hands on a number that is in quotes without them."""

    def request_edits(self, document: Json) -> Iterable[Edit]:
        """Each; names of members are none."""
        for each in document.of_kind(Kind.STRING):
            if number := NUMBER_IN_QUOTES.fullmatch(document.source(each)):
                yield each.start, each.end, number[1]


class LargeIntegersRounded(JsonRequests, JsonAnswers):
    """Passes integers beyond 2^53 through a double, in requests and in answers."""

    holds = frozenset({Part.REQUEST, Part.ANSWER})

    def request_edits(self, document: Json) -> Iterable[Edit]:
        """Each that a double cannot hold."""
        for each in document.integers():
            digits = document.source(each)
            if len(digits) <= MOST_DIGITS and abs(int(digits)) > EXACT:
                yield each.start, each.end, str(int(float(digits)))

    def edits(self, exchange: Exchange, document: Json) -> Iterable[Edit]:
        """Likewise."""
        del exchange
        return self.request_edits(document)


class PathNormalised(Effect):
    """Takes double and trailing slashes out of the path before the service sees it."""

    holds = frozenset({Part.HEAD})

    async def asked(self, exchange: Exchange) -> None:
        """The query stays."""
        path, mark, query = exchange.request.target.partition("?")
        if not path.startswith("/"):
            return
        normal = f"{re.sub('/+', '/', path).rstrip('/') or '/'}{mark}{query}"
        if normal != exchange.request.target:
            self.applied += 1
            exchange.request = exchange.request.with_target(normal)
