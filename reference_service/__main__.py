"""`python -m reference_service`: serves until SIGTERM or SIGINT, then finishes the requests in flight."""

import os
import signal
import sys
from types import FrameType

from pydantic import ValidationError

from reference_service.environment import UnknownSettingError, refuse_unknown, wrong_setting
from reference_service.model.gpus import GpuError, gpu_device_files, gpu_for_each_worker, visible_gpus
from reference_service.problems import EXIT_REFUSED
from reference_service.server.listening import ListenError, bind
from reference_service.server.workers import WORKER_ARGUMENT, end_with_supervisor, supervise
from reference_service.settings import Settings
from reference_service.telemetry.logs import LOGGER, configure_logging
from reference_service.telemetry.shared import forget_worker, sharing


def main() -> int:
    """Serve; return 0 after an orderly stop and 3 if the service refuses to start."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _quit)
    lifeline = int(sys.argv[2]) if sys.argv[1:2] == [WORKER_ARGUMENT] else None
    pid = None if lifeline is None else os.getpid()
    configure_logging("info", pid=pid)
    try:
        refuse_unknown(os.environ)
        settings = Settings()
        configure_logging(settings.log_level, pid=pid)
        if settings.workers > 1 and lifeline is None:
            return _run_workers(settings)
        listener = bind(settings.host, settings.port, shared=lifeline is not None)
    except ValidationError as error:
        LOGGER.critical("refusing to start: settings: %s", wrong_setting(error))
        return EXIT_REFUSED
    except (UnknownSettingError, GpuError, ListenError) as error:
        LOGGER.critical("refusing to start: %s", error)
        return EXIT_REFUSED
    if lifeline is not None:
        end_with_supervisor(lifeline)
    from reference_service.server.serve import serve  # noqa: PLC0415  # a supervisor loads no runtime

    return serve(settings, listener)


def _run_workers(settings: Settings) -> int:
    """Run the workers, each with a GPU of its own where they run on GPUs."""
    bind(settings.host, settings.port, shared=False).close()  # workers would share it with a stranger
    if not (settings.rate_limit_redis_url or settings.rate_limit_redis_url_file):
        LOGGER.warning(
            "every quota holds for each of %s workers alone, together they grant as many times as much: "
            "SERVICE_RATE_LIMIT_WITHOUT_REDIS is local and no Redis is named",
            settings.workers,
        )
    changes: list[dict[str, str]] = [{}] * settings.workers
    if settings.execution_provider == "cuda":
        gpus = visible_gpus(os.environ.get("CUDA_VISIBLE_DEVICES"), gpu_device_files())
        changes = [{"CUDA_VISIBLE_DEVICES": gpu} for gpu in gpu_for_each_worker(settings.workers, gpus)]
    with sharing() as folder:
        return supervise(
            [{**os.environ, **change} for change in changes],
            shutdown_timeout_s=settings.shutdown_timeout_s,
            forget=lambda pid: forget_worker(folder, pid),
        )


def _quit(_signal: int, _frame: FrameType | None) -> None:
    """End a process that serves nothing yet. An exception could be swallowed where the signal arrives."""
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
