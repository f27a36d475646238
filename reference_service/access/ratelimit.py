"""Rate limits by fixed windows: which quotas a request counts against, and what the client is told.

A window opens with an identity's first request and lasts for the quota's period; in it exactly the quota is
answered. Chosen over a moving window because its state is one counter per identity (a moving window keeps a
timestamp per request), its headers are exact, and after Retry-After the full quota is there again. Its price:
two full quotas can follow each other closely, at the end of one window and the start of the next.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import limits
from starlette.types import Scope as ASGIScope

from reference_service.access.addresses import ClientAddresses
from reference_service.access.apikeys import Scope
from reference_service.access.authentication import Principal
from reference_service.access.guarded_windows import GuardedWindows
from reference_service.access.windows import (
    Charge,
    LocalWindows,
    Windows,
    WindowState,
    WindowsUnavailableError,
    fits,
)
from reference_service.errors import ApiError
from reference_service.redis_url import read_redis_url
from reference_service.settings import Settings
from reference_service.telemetry.metrics import Metrics

EVERYONE = ""
UNAVAILABLE_RETRY_S = 1


class Allowance(NamedTuple):
    """What is left of a quota after a request."""

    limit: int
    remaining: int

    def headers(self) -> dict[str, str]:
        """Return the response headers that tell the client."""
        return {name.decode(): value.decode() for name, value in self.raw_headers()}

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """Return the same as ASGI wants them."""
        return [
            (b"x-ratelimit-limit", b"%d" % self.limit),
            (b"x-ratelimit-remaining", b"%d" % self.remaining),
        ]


class ParsedQuota(NamedTuple):
    """A parsed quota: so much in a window of so many seconds, for each identity."""

    name: str
    limit: int
    period_s: int
    prefix: str

    def charge(self, identity: str, cost: int = 1) -> Charge:
        """Return what asking `cost` of it in the name of an identity means."""
        return Charge(self.name, self.prefix + identity, self.limit, self.period_s, cost)


class RateLimiter:
    """Charges each request to all of its quotas, or refuses it and charges it to none."""

    def __init__(self, settings: Settings, windows: Windows, *, on_refused: Callable[[str], None]) -> None:
        self._windows = windows
        self._on_refused = on_refused
        self._addresses = ClientAddresses(settings.trusted_proxies)
        self._defaults = {
            "key": settings.rate_limit,
            "metadata": settings.rate_limit_metadata,
            "rows": settings.rate_limit_rows,
        }
        self._parsed: dict[tuple[str, str], ParsedQuota] = {}
        self._address = _optional("address", settings.rate_limit_address)
        self._global = _optional("global", settings.rate_limit_global)

    async def admit(self, scope: ASGIScope, principal: Principal, required: Scope) -> Allowance:
        """Count an authenticated request; return what is left to its key or subject.

        Raises:
            ApiError: 429, and the request is counted nowhere. 503 if it can't be counted.
        """
        if required == "metadata":
            own = self._quota("metadata", principal.metadata_quota)
        else:
            own = self._quota("key", principal.quota)
        charges = [own.charge(principal.identity)]
        if self._address:
            charges.append(self._address.charge(self._addresses.of(scope)))
        if self._global:
            charges.append(self._global.charge(EVERYONE))
        state = (await self._charge(charges))[0]
        return Allowance(own.limit, own.limit - state.used - 1)

    async def admit_unauthenticated(self, scope: ASGIScope) -> None:
        """Count a request whose credentials were refused, against its address alone.

        Raises:
            ApiError: 429, so that whoever guesses keys does not learn whether this one was right. 503 if it
                can't be counted.
        """
        if self._address:
            await self._charge([self._address.charge(self._addresses.of(scope))])

    async def admit_rows(self, principal: Principal, rows: int) -> None:
        """Count the rows of a valid batch, before it is answered.

        Raises:
            ApiError: 429 if so many are not left now, 413 if the quota is smaller than the batch; none of its
                rows is counted then. 503 if they can't be counted.
        """
        quota = self._quota("rows", principal.rows_quota)
        if rows > quota.limit:
            message = f"a batch of {rows} can never be answered: the quota is {quota.limit} rows"
            raise ApiError(413, "batch_exceeds_quota", message, field="instances")
        await self._charge([quota.charge(principal.identity, rows)])

    async def check(self) -> None:
        """Find out, and log, whether requests can be counted."""
        try:
            await self._windows.charge([])
        except WindowsUnavailableError:
            return

    async def close(self) -> None:
        """Give back what the counters hold."""
        await self._windows.close()

    async def _charge(self, charges: Sequence[Charge]) -> list[WindowState]:
        try:
            states = await self._windows.charge(charges)
        except WindowsUnavailableError as error:
            raise ApiError(
                503,
                "rate_limit_unavailable",
                "requests can't be counted at the moment",
                headers={"Retry-After": str(UNAVAILABLE_RETRY_S)},
            ) from error
        refusing = [pair for pair in zip(charges, states, strict=True) if not fits(*pair)]
        if refusing:
            charge, state = max(refusing, key=lambda pair: pair[1].ends_in_s)
            self._on_refused(charge.quota)
            raise _refusal(charge, state)
        return states

    def _quota(self, name: str, own: str | None) -> ParsedQuota:
        """Return a key's own quota, or the default; each is parsed once."""
        text = own or self._defaults[name]
        quota = self._parsed.get((name, text))
        if quota is None:
            quota = self._parsed[name, text] = _parse(name, text)
        return quota


def build_limiter(settings: Settings, metrics: Metrics) -> RateLimiter:
    """Build the limiter with the counters that the settings name.

    Raises:
        RedisUrlError: The file of the Redis URL is missing or wrong.
    """
    windows: Windows = LocalWindows()
    url = settings.rate_limit_redis_url
    if settings.rate_limit_redis_url_file:
        url = read_redis_url(settings.rate_limit_redis_url_file)
    if url:
        from reference_service.access.redis_windows import RedisWindows  # noqa: PLC0415  # its docstring says why

        local = LocalWindows() if settings.rate_limit_without_redis == "local" else None
        shared = RedisWindows(url, settings.rate_limit_redis_timeout_s)
        windows = GuardedWindows(shared, local=local, on_failure=metrics.rate_limit_storage_failed)
    return RateLimiter(settings, windows, on_refused=metrics.rate_limited)


def _refusal(charge: Charge, state: WindowState) -> ApiError:
    """Build the 429 of the quota that takes longest to be there again."""
    retry_after_s = max(1, math.ceil(state.ends_in_s))
    left = Allowance(charge.limit, max(0, charge.limit - state.used))
    message = (
        f"the {charge.quota} quota has {left.remaining} of {charge.limit} left: retry after {retry_after_s} s"
    )
    return ApiError(
        429, "rate_limited", message, headers=left.headers() | {"Retry-After": str(retry_after_s)}
    )


def _optional(name: str, quota: str | None) -> ParsedQuota | None:
    return _parse(name, quota) if quota else None


def _parse(name: str, text: str) -> ParsedQuota:
    item = limits.parse(text)
    period_s = item.get_expiry()
    return ParsedQuota(name, item.amount, period_s, f"{name}/{item.amount}/{period_s}/")
