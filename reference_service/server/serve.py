"""One process that serves: the application, its server, and its orderly end."""

import gc
import signal
import socket

import uvicorn

from reference_service.app import create_app
from reference_service.errors import KeyFileError
from reference_service.model.artifact import ArtifactError
from reference_service.problems import EXIT_REFUSED
from reference_service.redis_url import RedisUrlError
from reference_service.server.draining import Drain, DrainingServer
from reference_service.server.protocol import Bounds, bounded
from reference_service.server.tls import Loop, server_context
from reference_service.settings import Settings
from reference_service.telemetry.logs import LOGGER

KEEP_ALIVE_S = 5
ANSWER_TIMEOUT_S = 30
LINGER_S = 1.0


def serve(settings: Settings, listener: socket.socket) -> int:
    """Serve on a bound socket; return 0 after an orderly stop and 3 if the service refuses to start."""
    try:
        app = create_app(settings)
        context = server_context(settings, app.state.metrics.tell_stale("tls"))
    except (ArtifactError, KeyFileError, RedisUrlError) as error:
        LOGGER.critical("refusing to start: %s", error)
        return EXIT_REFUSED
    drain = Drain(linger_s=min(LINGER_S, settings.shutdown_timeout_s / 2))
    server = DrainingServer(
        uvicorn.Config(
            app,
            loop=f"{Loop.__module__}:{Loop.__name__}",
            ssl_context_factory=(lambda *_: context) if context else None,
            http=bounded(
                Bounds(
                    max_connections=settings.max_connections,
                    head_timeout_s=settings.head_timeout_s,
                    idle_timeout_s=KEEP_ALIVE_S + settings.head_timeout_s,
                    request_timeout_s=settings.body_timeout_s + ANSWER_TIMEOUT_S,
                ),
                drain,
            ),
            timeout_keep_alive=KEEP_ALIVE_S,
            ws="none",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=settings.shutdown_timeout_s,
        ),
        drain,
    )
    gc.freeze()  # what lives as long as the process need not be walked by every collection
    # The server takes over these signals while it runs, and raises them again when drained.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, server.handle_exit)
    server.run(sockets=[listener])
    return 0 if server.started else EXIT_REFUSED
