"""Rate limits per identity, by fixed windows.

A window opens with an identity's first request and lasts for the quota's period; in it exactly the quota is
answered. Chosen over a moving window because its state is one counter per identity (a moving window keeps a
timestamp per request), its headers are exact, and after Retry-After the full quota is there again. Its price:
two full quotas can follow each other closely, at the end of one window and the start of the next.
"""

import math
import time
from dataclasses import dataclass

import limits
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """What is left of a quota after a request; `retry_after_s` is set when the request is refused."""

    limit: int
    remaining: int
    retry_after_s: int | None

    def headers(self) -> dict[str, str]:
        """Return the response headers that tell the client."""
        told = {"X-RateLimit-Limit": str(self.limit), "X-RateLimit-Remaining": str(self.remaining)}
        if self.retry_after_s is not None:
            told["Retry-After"] = str(self.retry_after_s)
        return told


class RateLimiter:
    """Counts requests in this process; identities never share a counter."""

    def __init__(self, default_quota: str) -> None:
        self._default = limits.parse(default_quota)
        self._quotas: dict[str, limits.RateLimitItem] = {}
        self._windows = FixedWindowRateLimiter(MemoryStorage())

    async def hit(self, identity: str, quota: str | None) -> Allowance:
        """Count one request of an identity against its quota, or the default quota."""
        item = self._default if quota is None else self._parsed(quota)
        allowed = await self._windows.hit(item, identity)
        reset_at, remaining = await self._windows.get_window_stats(item, identity)
        retry_after_s = None if allowed else max(1, math.ceil(reset_at - time.time()))
        return Allowance(limit=item.amount, remaining=remaining, retry_after_s=retry_after_s)

    def _parsed(self, quota: str) -> limits.RateLimitItem:
        """Parse each quota of the keys file once."""
        if quota not in self._quotas:
            self._quotas[quota] = limits.parse(quota)
        return self._quotas[quota]
