"""Effects by their fault's name, and what goes through them."""

import asyncio

import pytest

from harness.selftest.proxy.catalogue import built_in_faults
from harness.selftest.proxy.effects.table import effect_of
from harness.selftest.proxy.exchange import Exchange, Service
from harness.selftest.proxy.message import Message

SERVICE = Service(host="127.0.0.1", port=9)
FAULTS = {fault.name: fault for fault in built_in_faults()}


def request(content=b'{"x":1.5}', *, method="POST", target="/predict", headers=()):
    lines = tuple(f"{name}: {value}\r\n".encode() for name, value in headers)
    start_line = f"{method} {target} HTTP/1.1\r\n".encode()
    message = Message(start_line, (b"Host: x\r\n", b"Content-Type: application/json\r\n", *lines))
    return message.with_content(content) if method != "GET" else message


class Passage:
    """One effect, through which requests and answers are passed."""

    def __init__(self, name, *credential_headers):
        self.effect = effect_of(FAULTS[name], frozenset(credential_headers))

    def ask(self, message=None):
        """The exchange of a request that the effect has seen."""
        exchange = Exchange(message or request(), SERVICE)
        asyncio.run(self.effect.asked(exchange))
        return exchange

    def answer(self, answer, message=None):
        """What becomes of the answer to a request."""
        return asyncio.run(self.effect.answered(self.ask(message), answer))


@pytest.fixture
def passage():
    return Passage


@pytest.fixture
def asking():
    return request
