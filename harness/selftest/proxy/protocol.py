"""What the parent tells the proxy's process, a JSON line each; the process answers with a number."""

from pydantic import BaseModel, ConfigDict

from harness.selftest.proxy.exchange import Service
from harness.selftest.proxy.fault import ProxyFault


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Begin(_Line):
    """The first line, which is not answered.

    Attributes:
        credential_headers: As :class:`harness.selftest.proxy.effect.Effect` takes them.
        cores: That it may run on; None for any.
        idle: Whether it only holds what the fault holds.
    """

    fault: ProxyFault
    idle: bool
    credential_headers: frozenset[str]
    cores: tuple[int, ...] | None


class Order(_Line):
    """Every other line.

    Attributes:
        listen: Lead here from a new port, which is the answer; None asks how often the fault was applied.
    """

    listen: Service | None = None
