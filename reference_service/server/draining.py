"""The orderly end: every request that was sent on an accepted connection is answered.

First no new connection is completed, and those that are get accepted. Then each connection is closed by the
`Connection: close` of its next answer, or after a moment in which nothing came.
"""

import asyncio
import contextlib
import ctypes
import socket
import struct
import sys
from dataclasses import dataclass

import uvicorn

from reference_service.telemetry.logs import LOGGER

ACCEPT_S = 0.01
"""Passes of the event loop in which it accepts all that the kernel has completed."""
SO_ATTACH_FILTER = 26
BPF_RETURN_NOTHING = struct.pack("=HBBI", 0x06, 0, 0, 0)
"""A packet filter of one instruction, `ret #0`: keep nothing of a packet."""


@dataclass
class Drain:
    """Shared by a server and its connections.

    Attributes:
        begun: The server is stopping.
        linger_s: How long an idle connection may still send a request.
    """

    linger_s: float
    begun: bool = False


class DrainingServer(uvicorn.Server):
    """Stops without losing a request."""

    def __init__(self, config: uvicorn.Config, drain: Drain) -> None:
        super().__init__(config)
        self._drain = drain

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application and listen; say where."""
        await super().startup(sockets)
        for listener in sockets or ():
            host, port, *_ = listener.getsockname()
            LOGGER.info("listening", extra={"fields": {"host": host, "port": port}})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, finish what was accepted, end the application."""
        for listener in sockets or ():
            refuse_connections(listener)
        await asyncio.sleep(ACCEPT_S)
        self._drain.begun = True
        await super().shutdown(sockets)


def refuse_connections(listener: socket.socket) -> None:
    """Let the kernel drop packets that would become connections; the complete ones can still be accepted.

    Closing a listening socket resets the connections in its queue, and between the last look into the queue
    and the close there is always time for one more. Elsewhere than on Linux, and where the kernel keeps such
    filters to privileged users, that gap remains.
    """
    if sys.platform == "linux":
        program = ctypes.create_string_buffer(BPF_RETURN_NOTHING, len(BPF_RETURN_NOTHING))
        described = struct.pack("@HP", 1, ctypes.addressof(program))
        with contextlib.suppress(PermissionError):
            listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, described)
