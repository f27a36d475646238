"""What holds while the shared windows can't be reached: refuse, or count in this process."""

import time
from collections.abc import Callable, Sequence

from reference_service.access.windows import (
    Charge,
    LocalWindows,
    Windows,
    WindowState,
    WindowsUnavailableError,
)
from reference_service.telemetry.logs import LOGGER

PAUSE_S = 1.0
"""After a failure no request asks again for so long; then one does, and the others do not wait for it."""


class GuardedWindows:
    """Shared windows and, while they fail, those of this process, if given."""

    def __init__(
        self,
        shared: Windows,
        *,
        local: LocalWindows | None,
        on_failure: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared = shared
        self._local = local
        self._on_failure = on_failure
        self._clock = clock
        self._failed = False
        self._ask_at = 0.0

    async def charge(self, charges: Sequence[Charge]) -> list[WindowState]:
        """Charge every window, or none if one has too little left; return how they stood before.

        Raises:
            WindowsUnavailableError: The shared windows fail, and there are no others.
        """
        if self._failed:
            now = self._clock()
            if now < self._ask_at:
                return await self._without(charges)
            self._ask_at = now + PAUSE_S
        try:
            states = await self._shared.charge(charges)
        except WindowsUnavailableError as error:
            self._fail(error)
            return await self._without(charges)
        if self._failed:
            self._failed = False
            LOGGER.warning("rate limits: Redis answers again")
        return states

    async def close(self) -> None:
        """Give back what the shared windows hold."""
        await self._shared.close()

    def _fail(self, error: WindowsUnavailableError) -> None:
        self._on_failure()
        self._ask_at = self._clock() + PAUSE_S
        if not self._failed:
            self._failed = True
            until = "each process counts for itself" if self._local else "limited requests are answered 503"
            LOGGER.error("rate limits: Redis fails; until it answers %s: %s", until, error)

    async def _without(self, charges: Sequence[Charge]) -> list[WindowState]:
        if self._local is None:
            raise WindowsUnavailableError("Redis fails")
        return await self._local.charge(charges)
