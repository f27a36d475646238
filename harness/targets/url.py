"""A service that already runs somewhere; the harness neither starts nor stops it."""

from harness.config.service import ServiceSettings
from harness.http_exchange import http_client
from harness.model import Scope, TargetDescription
from harness.targets.readiness import PROBE_TIMEOUT_S, probe, wait_until_ready


class UrlEndpoint:
    """A service at a URL."""

    def __init__(self, base_url: str, service: ServiceSettings, description: TargetDescription) -> None:
        self.base_url = base_url
        self.description = description
        self._service = service

    def alive(self) -> bool:
        """Whether the readiness path answers at all."""
        with http_client(self.base_url) as client:
            status, _ = probe(client, self._service, timeout_s=PROBE_TIMEOUT_S)
        return status is not None

    def logs(self) -> str:
        """Empty: they are not ours to read."""
        return ""


class UrlTarget:
    """Waits until the URL is ready."""

    def __init__(self, url: str, service: ServiceSettings) -> None:
        self._url = url.rstrip("/")
        self._service = service

    def __enter__(self) -> UrlEndpoint:
        """Raises TargetError when it does not get ready in its time."""
        wait_until_ready(self._url, self._service, died=lambda: None, logs=lambda: "")
        return UrlEndpoint(self._url, self._service, TargetDescription(kind=Scope.URL, url=self._url))

    def __exit__(self, *_exc: object) -> None:
        """Leaves it as it is."""
