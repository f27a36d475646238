"""Places the proxy before what a launch starts.

A gate with a fault gets ``injected(candidate, fault)``. The proxy takes part of a millisecond of its own, on
the cores of what it stands before, and more where it holds what it carries: a latency is comparable only
where the other side has the same before it. So the reference of every such gate, and of the control, is to be
``injected(reference, fault, idle=True)``.
"""

import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harness.errors import UsageError
from harness.model import Scope, TargetDescription
from harness.selftest.proxy.exchange import Service
from harness.selftest.proxy.fault import ProxyFault
from harness.selftest.proxy.parent import ProxyProcess
from harness.selftest.proxy.protocol import Begin
from harness.targets.interface import Endpoint, RunningProcess, StandsBeside, Target
from harness.targets.log import LogSearch
from harness.targets.uninterrupted import uninterrupted

if TYPE_CHECKING:  # the proxy's process would import the engine's clients with it
    from harness.targets.launch import Launch

LOOPBACK = "127.0.0.1"
PORTS = {"http": 80, "https": 443}


def _unheard(_applied: int) -> None:
    """For who does not ask."""


def injected(
    launch: "Launch",
    fault: ProxyFault,
    *,
    idle: bool = False,
    credential_headers: Collection[str] = (),
    on_end: Callable[[int], None] = _unheard,
) -> "Launch":
    """The same launch with the proxy before each service that it starts.

    Args:
        launch: Of an image, a folder or the suite's own service.
        fault: What the proxy does wrong.
        idle: Whether it does nothing after all, in the same time but for what the fault would do.
        credential_headers: That the suite sends credentials in; the usual ones are known.
        on_end: Called whenever a service is removed with how often the fault was applied to its traffic: one
            that never was has not been tested.

    Raises:
        UsageError: for a URL, which is not started.
    """
    if launch.scope is Scope.URL:
        raise UsageError("a fault is injected before a service that is started, and a URL runs already")
    names = frozenset(name.lower() for name in credential_headers)

    def start(
        cpuset: str | None = None, /, *, variant: str | None = None, until_ready: bool = True
    ) -> InjectedTarget:
        begin = Begin(
            fault=fault,
            idle=idle,
            credential_headers=names,
            cores=cores_in(cpuset) if cpuset else None,
        )
        target = launch.start(cpuset, variant=variant, until_ready=until_ready)
        return InjectedTarget(target, ProxyProcess(begin, on_end))

    return replace(launch, start=start)


class InjectedTarget:
    """A target with a proxy that is started before it, so that it is not waited for, and removed after it."""

    def __init__(self, target: Target, proxy: ProxyProcess) -> None:
        self._target = target
        self._proxy = proxy

    def __enter__(self) -> "InjectedEndpoint":
        """Both, or neither."""
        with uninterrupted():
            self._proxy.__enter__()
        try:
            endpoint = self._target.__enter__()
        except BaseException:
            self._end_proxy(*sys.exc_info())
            raise
        try:
            return InjectedEndpoint(endpoint, self._proxy)
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise

    def __exit__(self, *exc: object) -> None:
        """Remove both.

        Raises:
            InfrastructureError: the proxy had ended by itself.
        """
        try:
            self._target.__exit__(*exc)
        finally:
            self._end_proxy(*exc)

    def _end_proxy(self, *exc: object) -> None:
        with uninterrupted():
            self._proxy.__exit__(*exc)


class InjectedEndpoint:
    """The endpoint of a service, with other URLs: they lead to the proxy."""

    def __init__(self, endpoint: Endpoint, proxy: ProxyProcess) -> None:
        self._endpoint = endpoint
        self._proxy = proxy
        self.base_urls: tuple[str, ...] = tuple(map(self._through, endpoint.base_urls))

    def _through(self, url: str) -> str:
        parts = urlsplit(url)
        service = Service(
            host=parts.hostname or LOOPBACK,
            port=parts.port or PORTS[parts.scheme],
            opaque=parts.scheme == "https",
        )
        return parts._replace(netloc=f"{LOOPBACK}:{self._proxy.port(service)}").geturl()

    @property
    def base_url(self) -> str:
        """Through the proxy."""
        return self.base_urls[0]

    @cached_property
    def load_url(self) -> str:
        """Through the proxy, and from there the shortest way."""
        return self._through(self._endpoint.load_url)

    @property
    def companions(self) -> Mapping[str, StandsBeside]:
        """The service's."""
        return self._endpoint.companions

    @property
    def description(self) -> TargetDescription:
        """The service's."""
        return self._endpoint.description

    def alive(self) -> bool:
        """Whether the service runs.

        Raises:
            InfrastructureError: the proxy does not.
        """
        self._proxy.require_running()
        return self._endpoint.alive()

    def logs(self) -> str:
        """The service's."""
        return self._endpoint.logs()

    def search_log(self, holds: Callable[[str], bool]) -> LogSearch:
        """In the service's."""
        return self._endpoint.search_log(holds)

    def cpu_s(self) -> float | None:
        """The service's, without the proxy's."""
        return self._endpoint.cpu_s()

    def memory_bytes(self) -> int | None:
        """The service's, without the proxy's."""
        return self._endpoint.memory_bytes()

    def host_address(self) -> str | None:
        """As the service sees this machine."""
        return self._endpoint.host_address()

    def exit_code(self) -> int | None:
        """The service's."""
        return self._endpoint.exit_code()

    def terminate(self, timeout_s: float, delivered: Callable[[], None]) -> int | None:
        """The service; the proxy stays."""
        return self._endpoint.terminate(timeout_s, delivered)

    def processes(self) -> tuple[RunningProcess, ...]:
        """The service's."""
        return self._endpoint.processes()


def cores_in(cpuset: str) -> tuple[int, ...]:
    """The cores that ``0-2,4`` names."""
    cores: list[int] = []
    for part in cpuset.split(","):
        first, _, last = part.partition("-")
        cores += range(int(first), int(last or first) + 1)
    return tuple(cores)
