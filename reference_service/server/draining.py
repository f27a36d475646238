"""The orderly end: every request that was sent on an accepted connection is answered.

First what waits to be accepted is accepted, and the listening socket closed in the same breath. Then each
connection is closed by the `Connection: close` of its next answer, or after a moment in which nothing came.
"""

import asyncio
import socket
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvicorn

from reference_service.telemetry.logs import LOGGER


@dataclass
class Drain:
    """Shared by a server and its connections.

    Attributes:
        linger_s: How long an idle connection may still send a request, or shake hands.
        begun: The server is stopping.
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
        scheme = "https" if self.config.ssl else "http"
        for listener in sockets or ():
            host, port, *_ = listener.getsockname()
            LOGGER.info("listening", extra={"fields": {"scheme": scheme, "host": host, "port": port}})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, finish what was accepted, end the application.

        To close a listening socket resets the connections in its queue. What comes between the last look into
        the queue and the close, a few microseconds, was never accepted.
        """
        self._drain.begun = True
        accepted = [connection for listener in sockets or () for connection in waiting(listener)]
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        protocol_class: Any = self.config.http_protocol_class
        protocol = partial(
            protocol_class,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        # One that shakes hands late, wrongly or never holds up nothing but itself.
        tls: dict[str, Any] = {}
        if self.config.ssl:
            tls = {"ssl": self.config.ssl, "ssl_handshake_timeout": self._drain.linger_s}
        await asyncio.gather(
            *(loop.connect_accepted_socket(protocol, connection, **tls) for connection in accepted),
            return_exceptions=True,
        )
        await super().shutdown(sockets)


def waiting(listener: socket.socket) -> list[socket.socket]:
    """Accept every connection that is in the queue of a non-blocking listening socket."""
    accepted = []
    while True:
        try:
            accepted.append(listener.accept()[0])
        except OSError:
            return accepted
