"""Headers of answers, and what they say of the body."""

import gzip
import re
from abc import ABC, abstractmethod

from harness.selftest.proxy.effect import Effect
from harness.selftest.proxy.exchange import Exchange, Part
from harness.selftest.proxy.json_text import Json
from harness.selftest.proxy.message import JSON, Message, name_of

OF_THE_CONNECTION = frozenset({"connection", "content-length", "content-type", "transfer-encoding", "date"})
REFUSED_FOR_NOW = frozenset({429, 503})
REMAINING = re.compile(r"(\b(?:r|remaining)=)([0-9]{1,15})", re.IGNORECASE)


class ChangedAnswers(Effect, ABC):
    """Changes answers one by one, whatever was asked."""

    holds = frozenset({Part.ANSWER})

    @abstractmethod
    def changed(self, request: Message, answer: Message) -> Message:
        """The other answer; the same object where nothing is changed."""

    async def answered(self, exchange: Exchange, answer: Message) -> Message:
        """As changed."""
        other = self.changed(exchange.request, answer)
        self.applied += other is not answer
        return other


class OtherContentType(ChangedAnswers):
    """Calls JSON plain text."""

    def changed(self, request: Message, answer: Message) -> Message:
        """The header alone."""
        del request
        return answer.with_header("Content-Type", "text/plain") if answer.media_type == JSON else answer


class OtherCharset(ChangedAnswers):
    """Writes JSON in UTF-16, and says so."""

    def changed(self, request: Message, answer: Message) -> Message:
        """Header and body."""
        del request
        document = Json.of(answer)
        if document is None:
            return answer
        declared = f"{answer.media_type}; charset=utf-16"
        return answer.with_header("Content-Type", declared).with_content(document.text.encode("utf-16"))


class CompressedUnasked(ChangedAnswers):
    """Compresses JSON for clients that did not say they take it."""

    def changed(self, request: Message, answer: Message) -> Message:
        """Header and body."""
        if "gzip" in request.header("accept-encoding") or Json.of(answer) is None:
            return answer
        packed = gzip.compress(answer.content, mtime=0)
        return answer.with_header("Content-Encoding", "gzip").with_content(packed)


class EchoedHeaderLost(ChangedAnswers):
    """Leaves out every header that the service gives back as the client sent it."""

    def changed(self, request: Message, answer: Message) -> Message:
        """Those of the connection and of the body are no echo."""
        names = {name_of(line) for line in request.headers} - OF_THE_CONNECTION
        return answer.without(
            *(name for name in names if request.header(name) and request.header(name) == answer.header(name))
        )


class ChallengeLost(ChangedAnswers):
    """Leaves out what a refusal says of how to ask rightly."""

    def changed(self, request: Message, answer: Message) -> Message:
        """``WWW-Authenticate`` and ``Allow``."""
        del request
        return answer.without("WWW-Authenticate", "Allow")


class RetryAfterZero(ChangedAnswers):
    """Invites everybody who was refused to come back at once."""

    def changed(self, request: Message, answer: Message) -> Message:
        """The header alone."""
        del request
        told = answer.header("retry-after")
        return answer.with_header("Retry-After", "0") if told not in {"", "0"} else answer


class RetryAfterMissing(ChangedAnswers):
    """Does not say when to come back."""

    def changed(self, request: Message, answer: Message) -> Message:
        """On 429 and 503."""
        del request
        return answer.without("Retry-After") if answer.status in REFUSED_FOR_NOW else answer


class RemainingOverstated(ChangedAnswers):
    """Says that one request more remains of a quota.

    In ``X-RateLimit-Remaining`` and its like, and as ``r=`` or ``remaining=`` in the drafts' ``RateLimit``.
    """

    def changed(self, request: Message, answer: Message) -> Message:
        """Every such header."""
        del request
        for line in answer.headers:
            name = name_of(line)
            value = answer.header(name)
            if "ratelimit" not in name.replace("-", ""):
                continue
            if name.endswith("remaining") and value.isdecimal():
                answer = answer.with_header(name, str(int(value) + 1))
            elif REMAINING.search(value):
                more = REMAINING.sub(lambda found: f"{found[1]}{int(found[2]) + 1}", value)
                answer = answer.with_header(name, more)
        return answer
