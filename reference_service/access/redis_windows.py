"""Windows in Redis, shared by all workers and replicas. Imported only where one is named: that takes time."""

import asyncio
from collections.abc import Sequence

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.maint_notifications import MaintNotificationsConfig

from reference_service.access.windows import Charge, WindowState, WindowsUnavailableError

MAX_CONNECTIONS = 32
PREFIX = "rate-limit/"
CHARGE = """
-- KEYS: windows. ARGV, three for each: limit, cost, period in milliseconds.
-- Charges all windows or none. Returns two numbers for each: what was used, milliseconds until it ends.
local states, fits = {}, true
for i, window in ipairs(KEYS) do
    local used, ends_in = 0, redis.call('PTTL', window)
    if ends_in >= 0 then used = tonumber(redis.call('GET', window)) end
    fits = fits and used + tonumber(ARGV[3 * i - 1]) <= tonumber(ARGV[3 * i - 2])
    states[2 * i - 1], states[2 * i] = used, ends_in
end
for i, window in ipairs(KEYS) do
    local opened = states[2 * i] >= 0
    if fits and opened then redis.call('INCRBY', window, ARGV[3 * i - 1]) end
    if fits and not opened then redis.call('SET', window, ARGV[3 * i - 1], 'PX', ARGV[3 * i]) end
    if not opened then states[2 * i] = tonumber(ARGV[3 * i]) end
end
return states
"""
"""Redis runs a script alone, so a charge is atomic; the time is Redis's own, so clocks need not agree."""


class RedisWindows:
    """Counters in one Redis; a window's key expires with it.

    Nothing is tried twice: a command whose answer was lost may have charged.

    Args:
        url: Of the Redis.
        timeout_s: For everything that one charge takes: a connection, the command, its answer.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._redis = Redis(
            connection_pool=BlockingConnectionPool.from_url(
                url,
                max_connections=MAX_CONNECTIONS,
                timeout=timeout_s,
                socket_timeout=timeout_s,
                socket_connect_timeout=timeout_s,
                retry=Retry(NoBackoff(), 0),
                # With them a connection that the store closed is not noticed, and the next charge fails.
                maint_notifications_config=MaintNotificationsConfig(enabled=False),
            )
        )
        self._script = self._redis.register_script(CHARGE)

    async def charge(self, charges: Sequence[Charge]) -> list[WindowState]:
        """Charge every window, or none if one has too little left; return how they stood before.

        Raises:
            WindowsUnavailableError: Redis does not answer in time, or with an error.
        """
        keys = [PREFIX + charge.window for charge in charges]
        arguments = [number for c in charges for number in (c.limit, c.cost, c.period_s * 1000)]
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._script(keys=keys, args=arguments)
        except (RedisError, OSError, TimeoutError) as error:
            raise WindowsUnavailableError(str(error) or "no answer in time") from error
        return [WindowState(answer[2 * i], answer[2 * i + 1] / 1000) for i in range(len(charges))]

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.connection_pool.disconnect()
