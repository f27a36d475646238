"""Answers by two workers: the second is forked from the first once all is loaded, and shares that memory.

They accept from one socket, count quotas where both see them, and metrics as the service's own workers do.
Where the suite itself asks for several workers, those are what is started.
"""

import fcntl
import logging
import mmap
import os
import struct
import sys
import time
from contextlib import suppress

import numpy as np

import reference_service.access.windows
from reference_service.__main__ import main
from reference_service.access.windows import LocalWindows
from reference_service.telemetry.logs import configure_logging
from reference_service.telemetry.shared import counts_file, sharing

STATE = struct.Struct("qd")
SLOTS = 1 << 20
"""So many for some tens of windows that two of them hardly ever share one."""


class SharedWindows(LocalWindows):
    """Those of both workers: a window is read before it is charged and written afterwards, under a lock."""

    def __init__(self, *clock, **bounds):
        super().__init__(*clock, **bounds)
        self._file = os.memfd_create("windows")
        os.ftruncate(self._file, SLOTS * STATE.size)
        self._states = mmap.mmap(self._file, SLOTS * STATE.size)

    async def charge(self, charges):
        """Nothing is awaited meanwhile."""
        fcntl.lockf(self._file, fcntl.LOCK_EX)
        try:
            for charge in charges:
                state = STATE.unpack_from(self._states, place(charge))
                self._tables[charge.quota].windows[charge.window] = state
            found = await super().charge(charges)
            for charge in charges:
                state = self._tables[charge.quota].windows.get(charge.window, (0, 0.0))
                STATE.pack_into(self._states, place(charge), *state)
            return found
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)


def place(charge):
    """Where its window lies; both workers have the same seed of hashes."""
    return hash(charge.window) % SLOTS * STATE.size


def with_second_worker():
    """Patch what may be imported only now: prometheus_client looks then whether metrics are shared."""
    import reference_service.app as assembly  # noqa: PLC0415 - see above
    from reference_service.server.draining import DrainingServer  # noqa: PLC0415 - see above
    from reference_service.settings import Settings  # noqa: PLC0415 - see above
    from reference_service.telemetry.drift import Drift  # noqa: PLC0415 - see above

    run, handle_exit, drift_of = DrainingServer.run, DrainingServer.handle_exit, Drift.__init__
    drifts, second = [], []

    def remembered(self, *baseline, **labels):
        drift_of(self, *baseline, **labels)
        drifts.append(self)

    def run_both(self, sockets=None):
        settings, metrics = Settings(), self.config.app.state.metrics
        model = assembly.Model(
            assembly.open_artifact(settings),
            provider=settings.execution_provider,
            intra_op_threads=settings.intra_op_threads,
            observe_run=metrics.observe_run,
        )
        assembly.Model = lambda *_artifact, **_how: model
        for handler in logging.root.handlers:
            handler.flush()
        if child := os.fork():
            second.append(child)
            run(self, sockets)
            os.waitpid(child, 0)
            return
        configure_logging(settings.log_level, pid=os.getpid())
        started = metrics._registry._names_to_collectors["process_start_time_seconds"]
        started.labels(*metrics._common).set(time.time())
        for drift in drifts:
            counts = counts_file(drift._folder, os.getpid())
            drift._blocks = np.asarray(np.memmap(counts, np.int64, mode="w+", shape=drift._shape))
        run(self, sockets)
        logging.shutdown()
        os._exit(0)  # what both share is the first one's to remove

    def tell_both(self, number, frame):
        for child in second:
            with suppress(ProcessLookupError):
                os.kill(child, number)
        handle_exit(self, number, frame)

    Drift.__init__ = remembered
    DrainingServer.run = run_both
    DrainingServer.handle_exit = tell_both


if os.environ.get("SERVICE_WORKERS", "1") != "1":
    sys.exit(main())
reference_service.access.windows.LocalWindows = SharedWindows
with sharing():
    with_second_worker()
    sys.exit(main())
