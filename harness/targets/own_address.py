"""Whether this machine is on a container's own network, so that it can be asked past the engine's proxy."""

import contextlib
import socket
from collections.abc import Mapping
from pathlib import Path

INTERFACES = Path("/sys/class/net")
TIMEOUT_S = 0.5
ID_CHARACTERS = 12
"""Of a network's id, which the engine names its bridge by: it takes no more in an interface's name."""


def own_address(network: Mapping[str, str], port: int, *, interfaces: Path = INTERFACES) -> str | None:
    """Return the address of a container that this machine can ask, None where that is not sure.

    An address alone proves nothing: engines hand out the same private ranges, and where the container's lives
    elsewhere (rootless, in a virtual machine), another's container may answer there. So the bridge of this
    very network has to be an interface of this machine.

    Args:
        network: The container's, as the engine tells it.
        port: That it listens on.
        interfaces: Where the system lists its own.
    """
    bridge = network.get("NetworkID", "")[:ID_CHARACTERS]
    address, gateway = network.get("IPAddress"), network.get("Gateway")
    if not (bridge and address and gateway and (interfaces / f"br-{bridge}").exists()):
        return None
    with contextlib.suppress(OSError):
        # Only the machine that is the gateway can connect from its address.
        socket.create_connection((address, port), TIMEOUT_S, source_address=(gateway, 0)).close()
        return address
    return None
