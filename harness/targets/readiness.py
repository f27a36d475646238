"""Waits until a service is ready, or says why it is not."""

import ssl
import time
from collections.abc import Callable

import httpx

from harness.config.service import ServiceSettings
from harness.errors import TargetError
from harness.http_exchange import exchange, http_client
from harness.http_request import Request

POLL_S = 0.05
PROBE_TIMEOUT_S = 2.0


def wait_until_ready(
    base_url: str,
    service: ServiceSettings,
    *,
    asked: str = "",
    died: Callable[[], str | None],
    logs: Callable[[], str],
    tls: ssl.SSLContext | None = None,
) -> float:
    """Poll the readiness path until it answers as declared; return the seconds it took.

    Args:
        base_url: Where the service should answer.
        service: Path, status and time limit.
        asked: The URL of the readiness path, for the error; empty where only the port inside a
            container is known to who reads it.
        died: Why the service runs no more, None while it runs.
        logs: What it wrote, for the error.
        tls: Verifies it; None trusts the public authorities.

    Raises:
        TargetError: when it died or the time is over.
    """
    started = time.monotonic()
    left_s = service.ready_timeout_s
    with http_client(base_url, tls=tls) as client:
        while True:
            status, last = probe(client, service, timeout_s=max(POLL_S, min(PROBE_TIMEOUT_S, left_s)))
            if status == service.ready_status:
                return time.monotonic() - started
            death = died()
            if death is not None:
                raise TargetError(death, logs=logs())
            time.sleep(POLL_S)
            left_s = started + service.ready_timeout_s - time.monotonic()
            if left_s <= POLL_S:  # a probe would only tell that it had no time
                break
    raise TargetError(
        f"not ready within {service.ready_timeout_s:g} s: "
        f"GET {asked or f'{service.ready_path} on port {service.port}'} gave {last}",
        logs=logs(),
        fix="does the service run there? service.ready_path and .ready_timeout_s say what and how long to ask"
        if asked
        else "see its logs; service.port, .ready_path and .ready_timeout_s say where and how long to look",
    )


def probe(client: httpx.Client, service: ServiceSettings, *, timeout_s: float) -> tuple[int | None, str]:
    """The status of the readiness path, None without one, and what was seen; the body is never read."""
    try:
        answer = exchange(client, Request("GET", service.ready_path), timeout_s=timeout_s, most_bytes=0)
    except (httpx.HTTPError, ValueError) as error:
        return None, f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return answer.status, f"status {answer.status}"
