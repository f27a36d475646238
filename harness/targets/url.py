"""A service that already runs somewhere; the harness neither starts nor stops it."""

import time
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx

from harness.config.service import ServiceSettings
from harness.errors import UsageError
from harness.http_exchange import http_client
from harness.model import Scope, TargetDescription
from harness.targets.interface import Uncontained
from harness.targets.log import LogSearch
from harness.targets.readiness import PROBE_TIMEOUT_S, probe, wait_until_ready

PROBES = 3
"""So often a service that answers nothing is asked: one lost packet in an hour does not mean that it died."""
PAUSE_S = 1.0


def require_plain(url: str) -> None:
    """``url`` is a scheme, a host, perhaps a port and a path: it is shown in reports.

    Raises:
        UsageError: not repeating what may be a secret.
    """
    fix = "give it as https://host:port/path; secrets go into GATE_KEY_<NAME>"
    try:
        parts = urlsplit(url)
        valid = bool(parts.hostname) and parts.port != 0 and bool(httpx.URL(url).host)
    except (ValueError, httpx.InvalidURL):
        valid = False
    if not valid:
        raise UsageError("the URL of a target is not valid", fix=fix)
    unwanted = {"user name or password": "@" in parts.netloc, "query": "?" in url, "fragment": "#" in url}
    for what, there in unwanted.items():
        if there:
            raise UsageError(f"the URL of a target has a {what}", fix=fix)


class UrlEndpoint(Uncontained):
    """A service at a URL."""

    def __init__(self, base_url: str, service: ServiceSettings, description: TargetDescription) -> None:
        self.base_url = base_url
        self.description = description
        self._service = service

    def alive(self) -> bool:
        """Whether the readiness path answers at all, at one of three times a second apart."""
        for attempt in range(PROBES):
            time.sleep(PAUSE_S if attempt else 0.0)
            with http_client(self.base_url) as client:
                status, _ = probe(client, self._service, timeout_s=PROBE_TIMEOUT_S)
            if status is not None:
                return True
        return False

    def logs(self) -> str:
        """Empty: they are not ours to read."""
        return ""

    def search_log(self, _holds: Callable[[str], bool]) -> LogSearch:
        """Nothing is found, and that says nothing."""
        return LogSearch(found=False, whole=False)

    def host_address(self) -> None:
        """None: who knows what lies between."""

    def cpu_s(self) -> None:
        """None: it is not ours to look into."""

    def memory_bytes(self) -> None:
        """None: it is not ours to look into."""


class UrlTarget:
    """Waits until the URL is ready."""

    def __init__(self, url: str, service: ServiceSettings) -> None:
        self._url = url.rstrip("/")
        self._service = service

    def __enter__(self) -> UrlEndpoint:
        """Raises TargetError when it does not get ready in its time."""
        asked = f"{self._url}{self._service.ready_path}"
        wait_until_ready(self._url, self._service, asked=asked, died=lambda: None, logs=lambda: "")
        return UrlEndpoint(self._url, self._service, TargetDescription(kind=Scope.URL, url=self._url))

    def __exit__(self, *_exc: object) -> None:
        """Leaves it as it is."""
