"""A service with the proxy before it, and without."""

from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from proxied_service import KEYS, serving

from harness.model import Scope, TargetDescription
from harness.selftest.proxy import built_in_faults, injected
from harness.testing import FakeEndpoint, FakeTarget

FAULTS = {fault.name: fault for fault in built_in_faults()}


@dataclass
class Asked:
    """A service behind the proxy.

    Attributes:
        through: Asks it through the proxy; ``directly`` does not.
        applied: How often the fault was, once for each end of a proxy.
    """

    service: object
    through: httpx.Client
    directly: httpx.Client
    endpoint: object
    applied: list = field(default_factory=list)

    def predict(self, *numbers, client=None, path="/predict", key=KEYS[0], **headers):
        sent = {"X-API-Key": key, **{name.replace("_", "-"): value for name, value in headers.items()}}
        kept = {name: value for name, value in sent.items() if value is not None}
        return (client or self.through).post(path, json={"x": numbers or [1, 2, 3]}, headers=kept)


def launch_of(url):
    endpoint = FakeEndpoint(base_url=url, description=TargetDescription(kind=Scope.PROCESS, url=url))
    return FakeTarget(endpoint=endpoint).launch()


@pytest.fixture
def launch():
    """Makes the launch of a service that runs already."""
    return launch_of


@pytest.fixture
def behind():
    """Starts the service with a fault before it."""

    @contextmanager
    def start(name, *, seed=0, idle=False, **parameters):
        fault = FAULTS[name]
        fault = fault.model_copy(update={"seed": seed, "parameters": {**fault.parameters, **parameters}})
        applied = []
        with serving() as service:
            placed = injected(launch_of(service.url), fault, idle=idle, on_end=applied.append)
            with placed.start() as endpoint, ask(endpoint.base_url) as through, ask(service.url) as directly:
                yield Asked(service, through, directly, endpoint, applied)

    return start


def ask(url):
    return httpx.Client(base_url=url, trust_env=False, timeout=20, headers={"Accept-Encoding": "identity"})
