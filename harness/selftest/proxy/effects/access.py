"""Who may ask: credentials that are lost, lent, or looked at too briefly."""

from abc import ABC, abstractmethod

from harness.selftest.proxy.effect import Effect
from harness.selftest.proxy.exchange import SUCCESS, Exchange, Part
from harness.selftest.proxy.fault import ProxyFault
from harness.selftest.proxy.message import Message, name_of


class CredentialsStripped(Effect):
    """Takes all credentials off before the service sees them."""

    holds = frozenset({Part.HEAD})

    async def asked(self, exchange: Exchange) -> None:
        """The headers alone."""
        without = exchange.request.without(*self.credential_headers)
        self.applied += without is not exchange.request
        exchange.request = without


class LentCredentials(Effect, ABC):
    """Remembers the headers of the last request that was answered 2xx with credentials, and lends them.

    They stay in the memory of the proxy's process, which ends with its target.
    """

    holds = frozenset({Part.HEAD, Part.ANSWER})

    def __init__(self, fault: ProxyFault, credential_headers: frozenset[str] = frozenset()) -> None:
        super().__init__(fault, credential_headers)
        self._valid: tuple[bytes, ...] = ()

    @abstractmethod
    def lends(self, given: tuple[bytes, ...], valid: tuple[bytes, ...]) -> bool:
        """Whether ``valid`` takes the place of what was given."""

    async def asked(self, exchange: Exchange) -> None:
        """With others, if so; those that are sent already are never touched."""
        given = exchange.request.lines_of(self.credential_headers)
        if self._valid and given != self._valid and self.lends(given, self._valid):
            self.applied += 1
            exchange.request = exchange.request.without(*self.credential_headers).with_lines(self._valid)

    async def answered(self, exchange: Exchange, answer: Message) -> Message:
        """The answer stays; what let it in is remembered."""
        given = exchange.request.lines_of(self.credential_headers)
        if given and answer.status in SUCCESS:
            self._valid = given
        return answer


class AnonymousLetIn(LentCredentials):
    """To whoever has none."""

    def lends(self, given: tuple[bytes, ...], valid: tuple[bytes, ...]) -> bool:
        """Only there."""
        del valid
        return not given


class AnyCredentialAccepted(LentCredentials):
    """To whoever has others, be they good or bad."""

    def lends(self, given: tuple[bytes, ...], valid: tuple[bytes, ...]) -> bool:
        """Only there."""
        del valid
        return bool(given)


class CredentialPrefixAccepted(LentCredentials):
    """To whoever knows the first half."""

    def lends(self, given: tuple[bytes, ...], valid: tuple[bytes, ...]) -> bool:
        """Of every header; the end of a line counts for nothing."""
        halves = {name_of(line): line.rstrip()[: len(line.rstrip()) // 2 + 1].lower() for line in valid}
        return bool(given) and all(
            name_of(line) in halves and line.lower().startswith(halves[name_of(line)]) for line in given
        )
