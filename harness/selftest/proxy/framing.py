"""Cuts what one side of a connection sends into messages, without touching a byte.

h11 says where a message ends; which bytes that were is told from what it has not read yet. What it does not
accept is cut no more: from there on the connection is opaque, and whoever carries it hands it on as it comes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import h11

from harness.selftest.proxy.message import Message

MOST_HEAD_BYTES = 4 * 1024 * 1024
"""A longer head, or body that is to be seen as a whole, is carried as it is."""
MOST_HELD_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Cut:
    """Consecutive bytes as they came.

    Attributes:
        event: What they complete; None for bytes, perhaps none, with which a message ends that is not whole.
    """

    raw: bytes
    event: h11.Event | None


class Cutter:
    """Of one direction of one connection.

    Args:
        parser: Makes what reads the next message; raises h11.RemoteProtocolError where none is due.
        opaque: Whether nothing is to be understood at all.
    """

    def __init__(self, parser: Callable[[], h11.Connection], *, opaque: bool = False) -> None:
        self._new_parser = parser
        self._parser: h11.Connection | None = None
        self._unread = b""
        self.opaque = opaque

    def cut(self, data: bytes) -> Iterator[Cut]:
        """What is complete with ``data``, which is empty once the sender has ended.

        Nothing of a message is parsed before the one ahead of it has been taken by whoever iterates.
        """
        self._unread += data
        broken = False
        try:
            yield from self._messages(data)
        except h11.RemoteProtocolError:
            self.opaque = broken = True
        if broken or (self.opaque and self._unread):
            yield Cut(self._taken(0), None)

    def _messages(self, data: bytes) -> Iterator[Cut]:
        while not self.opaque and (self._parser is not None or self._unread):
            if self._parser is None:
                self._parser, data = self._new_parser(), self._unread
            parser = self._parser
            parser.receive_data(data)
            yield from self._events(parser)
            if self._parser is parser:
                return  # more of its message has to come

    def _events(self, parser: h11.Connection) -> Iterator[Cut]:
        """Those of one message."""
        while isinstance(event := parser.next_event(), h11.Event):
            ended = isinstance(event, h11.EndOfMessage)
            if ended:
                self._parser = None
            yield Cut(self._taken(len(parser.trailing_data[0])), event)
            if ended or isinstance(event, h11.ConnectionClosed):
                return

    def _taken(self, left: int) -> bytes:
        """All of what came but the last so many bytes."""
        end = len(self._unread) - left
        taken, self._unread = self._unread[:end], self._unread[end:]
        return taken


class Held:
    """A message that does not go on before it is whole."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._body = bytearray()
        self._content = bytearray()

    def add(self, cut: Cut) -> bool:
        """Take more of it; False once it is too long, or no message at all."""
        self._body += cut.raw
        if isinstance(cut.event, h11.Data):
            self._content += cut.event.data
        return cut.event is not None and len(self._body) <= MOST_HELD_BYTES

    @property
    def raw(self) -> bytes:
        """What there is of it."""
        return self._head + bytes(self._body)

    def message(self) -> Message:
        """It, once it is whole."""
        return Message.of(self._head, bytes(self._body), bytes(self._content))


def request_parser() -> h11.Connection:
    """Reads one request."""
    return h11.Connection(h11.SERVER, MOST_HEAD_BYTES)


def answer_parser(method: str | None) -> h11.Connection:
    """Reads the answer to one request, interim ones included.

    Raises:
        h11.RemoteProtocolError: nothing was asked (None), or a tunnel: what then comes is no HTTP.
    """
    if method is None or method == "CONNECT":
        raise h11.RemoteProtocolError("no answer is due")
    parser = h11.Connection(h11.CLIENT, MOST_HEAD_BYTES)
    parser.send(h11.Request(method=method, target="/", headers=[("Host", "service")]))
    parser.send(h11.EndOfMessage())
    return parser
