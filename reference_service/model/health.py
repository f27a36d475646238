"""Whether the model answers its sample, found out once for all who ask at about the same time."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from reference_service.model.artifact import ArtifactError

SHARED_S = 0.2
"""Anybody may ask, as often as they like: the model is kept busy no more than once in so long."""


class SampleCheck:
    """Shares the outcome of one check with everybody who asks while it runs, or shortly after.

    Args:
        check: Raises an ArtifactError if the model does not answer its sample.
        clock: Seconds.
    """

    def __init__(
        self, check: Callable[[], Awaitable[None]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._check = check
        self._clock = clock
        self._latest: asyncio.Task[ArtifactError | None] | None = None
        self._ended_at = 0.0

    async def problem(self) -> ArtifactError | None:
        """Return what is wrong with the model, None if nothing is."""
        latest = self._latest
        if latest is None or (latest.done() and self._clock() - self._ended_at >= SHARED_S):
            latest = self._latest = asyncio.create_task(self._found())
        return await asyncio.shield(latest)  # others wait for it too when this client goes away

    async def _found(self) -> ArtifactError | None:
        try:
            await self._check()
        except ArtifactError as error:
            return error
        finally:
            self._ended_at = self._clock()
        return None
