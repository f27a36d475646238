"""Statuses, and bodies that do not fit them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from harness.selftest.proxy.effect import Effect, predicted
from harness.selftest.proxy.exchange import Exchange, Part
from harness.selftest.proxy.message import Message

ERROR = b'{"error":{"code":"internal_error","message":"the model could not be run"}}'
PAGE = b"<html><head><title>Bad Request</title></head><body><h1>Bad Request</h1></body></html>\n"
REFUSALS = range(400, 500)


class StatusReplaced(Effect):
    """Answers of some statuses get another; headers and body stay."""

    holds = frozenset({Part.ANSWER})
    instead: ClassVar[Mapping[int, int]]

    async def answered(self, exchange: Exchange, answer: Message) -> Message:
        """With the other status."""
        if not self.concerns(exchange) or answer.status not in self.instead:
            return answer
        self.applied += 1
        return answer.with_status(self.instead[answer.status])

    def concerns(self, exchange: Exchange) -> bool:
        """Whether the answer to this may change."""
        return exchange.carries


class RefusalAsServerError(StatusReplaced):
    """500 where the request is at fault."""

    instead: ClassVar[Mapping[int, int]] = dict.fromkeys((400, 413, 415, 422), 500)


class RefusalAsSuccess(StatusReplaced):
    """200 where the request is at fault."""

    instead: ClassVar[Mapping[int, int]] = dict.fromkeys((400, 422), 200)


class UndocumentedStatus(StatusReplaced):
    """202 for 200."""

    instead: ClassVar[Mapping[int, int]] = {200: 202}


class UnauthorizedAsForbidden(StatusReplaced):
    """403 for 401, whatever was asked."""

    instead: ClassVar[Mapping[int, int]] = {401: 403}

    def concerns(self, exchange: Exchange) -> bool:
        """Any."""
        del exchange
        return True


class GoodAnswersReplaced(Effect, ABC):
    """In place of one of ``one_in`` good answers, another."""

    holds = frozenset({Part.ANSWER})

    @abstractmethod
    def instead_of(self, answer: Message) -> Message:
        """The other."""

    async def answered(self, exchange: Exchange, answer: Message) -> Message:
        """Itself, or the other."""
        if not predicted(exchange, answer) or not self.hit():
            return answer
        self.applied += 1
        return self.instead_of(answer)


class ErrorToldAsSuccess(GoodAnswersReplaced):
    """An error in the place of the prediction."""

    def instead_of(self, answer: Message) -> Message:
        """Status and headers stay."""
        return answer.with_content(ERROR)


class RefusalsAsHtml(Effect):
    """A page of HTML in every refusal that has a body."""

    holds = frozenset({Part.ANSWER})

    async def answered(self, exchange: Exchange, answer: Message) -> Message:
        """The status stays."""
        if answer.status not in REFUSALS or not answer.content or exchange.request.method == "HEAD":
            return answer
        self.applied += 1
        return answer.with_header("Content-Type", "text/html").with_content(PAGE)
