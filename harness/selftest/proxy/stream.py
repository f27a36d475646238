"""A connection of the proxy, and the ways in which an answer may arrive on it."""

import asyncio
import contextlib
import socket
import struct
from typing import NamedTuple

from harness.selftest.proxy.exchange import Delivery
from harness.selftest.proxy.message import Message

MOST_SINGLE_BYTES = 4096
NO_LINGER = struct.pack("ii", 1, 0)


class Ended(Exception):  # noqa: N818 - it is no error: an effect ends the connection
    """The client's connection is to be closed.

    Attributes:
        reset: Whether as one that broke.
    """

    def __init__(self, *, reset: bool) -> None:
        super().__init__()
        self.reset = reset


class Stream(NamedTuple):
    """Both directions of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Write, and wait until the other side keeps up."""
        self.writer.write(data)
        await self.writer.drain()

    def end(self, *, reset: bool) -> None:
        """Close it; a reset goes on as one, unless something is still to be sent."""
        if reset and not self.writer.transport.get_write_buffer_size():
            with contextlib.suppress(OSError):
                connection: socket.socket = self.writer.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            self.writer.transport.abort()
        else:
            self.writer.close()

    async def deliver(self, answer: Message, delivery: Delivery) -> None:
        """Hand an answer to a client.

        Raises:
            Ended: and the connection with it.
        """
        raw = answer.raw
        match delivery:
            case Delivery.WHOLE:
                await self.send(raw)
            case Delivery.BYTE_BY_BYTE:
                for byte in raw[:MOST_SINGLE_BYTES]:
                    await self.send(bytes([byte]))
                    await asyncio.sleep(0)
                await self.send(raw[MOST_SINGLE_BYTES:])
            case Delivery.CUT:
                await self.send(raw[: -(len(answer.body) // 2 + 1)])
                raise Ended(reset=False)
            case Delivery.DROPPED:
                raise Ended(reset=True)
            case Delivery.THEN_CLOSED:
                await self.send(raw)
                raise Ended(reset=False)
