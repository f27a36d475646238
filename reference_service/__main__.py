"""`python -m reference_service`: serves until SIGTERM or SIGINT, then finishes the requests in flight."""

import gc
import signal
import sys
from types import FrameType

import uvicorn
from pydantic import ValidationError

from reference_service.access.tokens import KeyFileError
from reference_service.app import create_app
from reference_service.model.artifact import ArtifactError
from reference_service.problems import first_problem
from reference_service.server.protocol import Bounds, bounded
from reference_service.settings import Settings
from reference_service.telemetry.logs import LOGGER, configure_logging

EXIT_REFUSED = 3
KEEP_ALIVE_S = 5
ANSWER_TIMEOUT_S = 30


def main() -> int:
    """Serve; return 0 after an orderly stop and 3 if the service refuses to start."""
    # The server takes over these signals while it runs and raises them again when drained: an orderly end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    configure_logging("info")
    try:
        settings = Settings()
        configure_logging(settings.log_level)
        app = create_app(settings)
    except ValidationError as error:
        LOGGER.critical("refusing to start: settings: %s", first_problem(error))
        return EXIT_REFUSED
    except (ArtifactError, KeyFileError) as error:
        LOGGER.critical("refusing to start: %s", error)
        return EXIT_REFUSED
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http=bounded(
                Bounds(
                    max_connections=settings.max_connections,
                    head_timeout_s=settings.head_timeout_s,
                    idle_timeout_s=KEEP_ALIVE_S + settings.head_timeout_s,
                    request_timeout_s=settings.body_timeout_s + ANSWER_TIMEOUT_S,
                )
            ),
            timeout_keep_alive=KEEP_ALIVE_S,
            ws="none",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=settings.shutdown_timeout_s,
        )
    )
    gc.freeze()  # what lives as long as the process need not be walked by every collection
    server.run()
    return 0 if server.started else EXIT_REFUSED


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """End the process with exit code 0."""
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
