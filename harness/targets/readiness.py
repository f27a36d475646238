"""Waits until a service is ready, or says why it is not."""

import time
from collections.abc import Callable

import httpx

from harness.config.service import ServiceSettings
from harness.errors import TargetError

POLL_S = 0.05
PROBE_TIMEOUT_S = 2.0


def wait_until_ready(
    base_url: str, service: ServiceSettings, *, died: Callable[[], str | None], logs: Callable[[], str]
) -> float:
    """Poll the readiness path until it answers as declared; return the seconds it took.

    Args:
        base_url: Where the service should answer.
        service: Path, status and time limit.
        died: Why the service runs no more, None while it runs.
        logs: What it wrote, for the error.

    Raises:
        TargetError: when it died or the time is over.
    """
    started = time.monotonic()
    last = "no answer"
    with httpx.Client(base_url=base_url, timeout=PROBE_TIMEOUT_S, trust_env=False) as client:
        while time.monotonic() - started < service.ready_timeout_s:
            ready, last = _probe(client, service)
            if ready:
                return time.monotonic() - started
            death = died()
            if death is not None:
                raise TargetError(death, logs=logs())
            time.sleep(POLL_S)
    raise TargetError(
        f"not ready within {service.ready_timeout_s:g} s: "
        f"GET {service.ready_path} on port {service.port} gave {last}",
        logs=logs(),
        fix="see its logs; service.port, .ready_path and .ready_timeout_s say where and how long to look",
    )


def _probe(client: httpx.Client, service: ServiceSettings) -> tuple[bool, str]:
    """Whether it is ready, and what was seen; the body is never read."""
    try:
        with client.stream("GET", service.ready_path) as response:
            return response.status_code == service.ready_status, f"status {response.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return False, f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
