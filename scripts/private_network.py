"""Make and remove the network of the private engine: one bridge, one subnet, six firewall rules.

The engine itself runs with ``--iptables=false``: a second dockerd that manages the firewall deletes the
chains of the first one at its start. So containers on the default bridge (image builds among them) reach
out, those on networks that users define do not, whatever these say, and no network reaches another.
Bridges are made by ioctl: iproute2 may be missing.

    private_network.py up BRIDGE PREFERRED_SUBNET    prints the subnet that was free
    private_network.py down SUBNET                   removes every bridge inside it, and its rules
"""

import fcntl
import hashlib
import ipaddress
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# linux/sockios.h and linux/if.h
SIOCGIFADDR, SIOCSIFADDR, SIOCSIFNETMASK = 0x8915, 0x8916, 0x891C
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCBRADDBR, SIOCBRDELBR = 0x8913, 0x8914, 0x89A0, 0x89A1
IFF_UP = 1
RTF_UP = 1

POOL = ipaddress.IPv4Network("10.192.0.0/10")
SUBNET_PREFIX = 20
BRIDGE_PREFIX = 24


def interface_request(request: int, name: str, payload: bytes) -> bytes:
    """Issue one interface ioctl; ``payload`` is the union part of ``struct ifreq``."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        answer = fcntl.ioctl(control, request, struct.pack("16s24s", name.encode(), payload))
    return answer[16:]


def bridge_request(request: int, name: str) -> None:
    """Add or delete a bridge."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, request, struct.pack("16s", name.encode()))


def socket_address(address: ipaddress.IPv4Address) -> bytes:
    """Return ``struct sockaddr_in`` for ``address``."""
    return struct.pack("=HH4s", socket.AF_INET, 0, address.packed)


def set_up(name: str, *, up: bool) -> None:
    """Bring an interface up or down."""
    (flags,) = struct.unpack_from("=H", interface_request(SIOCGIFFLAGS, name, b""))
    flags = flags | IFF_UP if up else flags & ~IFF_UP
    interface_request(SIOCSIFFLAGS, name, struct.pack("=H", flags))


def routed_networks() -> Iterator[ipaddress.IPv4Network]:
    """Yield every network this machine has a route to, the default route excepted."""
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        fields = line.split()
        destination, mask = (struct.pack("=I", int(fields[column], 16)) for column in (1, 7))
        if int(fields[3], 16) & RTF_UP and any(mask):
            yield ipaddress.IPv4Network(f"{ipaddress.IPv4Address(destination)}/{ipaddress.IPv4Address(mask)}")


def bridges_inside(subnet: ipaddress.IPv4Network) -> Iterator[str]:
    """Yield the bridges whose address lies in ``subnet``."""
    for folder in Path("/sys/class/net").glob("*/bridge"):
        name = folder.parent.name
        with suppress(OSError):  # a bridge without an address
            raw = interface_request(SIOCGIFADDR, name, struct.pack("=H", socket.AF_INET))
            if ipaddress.IPv4Address(raw[4:8]) in subnet:
                yield name


def bridge_network(subnet: ipaddress.IPv4Network) -> ipaddress.IPv4Network:
    """Return the part of ``subnet`` that the default bridge has: the first /24."""
    return next(subnet.subnets(new_prefix=BRIDGE_PREFIX))


def firewall(action: str, subnet: ipaddress.IPv4Network) -> bool:
    """Insert (``-I``) or delete (``-D``) the rules; return whether all of that succeeded."""
    if not shutil.which("iptables"):
        return False
    inside, bridge = str(subnet), str(bridge_network(subnet))
    answers = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"]
    rules = [
        # Within one bridge; then nothing from one bridge to another, and only the default one reaches out.
        [
            "filter",
            "FORWARD",
            "-s",
            inside,
            "-d",
            inside,
            "-m",
            "physdev",
            "--physdev-is-bridged",
            "-j",
            "ACCEPT",
        ],
        ["filter", "FORWARD", "-s", inside, "-d", inside, "-j", "DROP"],
        ["filter", "FORWARD", "-s", bridge, "-j", "ACCEPT"],
        ["filter", "FORWARD", "-d", bridge, *answers, "-j", "ACCEPT"],
        ["filter", "FORWARD", "-s", inside, "-j", "DROP"],
        ["nat", "POSTROUTING", "-s", bridge, "!", "-d", inside, "-j", "MASQUERADE"],
    ]
    failures = 0
    for table, *rule in reversed(rules):  # each is inserted before the one that was inserted last
        command = ["iptables", "--wait", "-t", table, action, *rule]
        failures += subprocess.run(command, check=False, capture_output=True).returncode != 0
    return failures == 0


def down(subnet: ipaddress.IPv4Network) -> None:
    """Remove the bridges inside ``subnet`` and its rules; nothing there is fine."""
    for name in bridges_inside(subnet):
        set_up(name, up=False)
        bridge_request(SIOCBRDELBR, name)
    firewall("-D", subnet)


def choose(name: str, preferred: str) -> ipaddress.IPv4Network:
    """Return ``preferred`` if it is free, else the first free subnet from a start that ``name`` decides."""
    subnets = list(POOL.subnets(new_prefix=SUBNET_PREFIX))
    start = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % len(subnets)
    wanted = [ipaddress.IPv4Network(preferred)] if preferred else []
    taken = list(routed_networks())
    for subnet in [*wanted, *subnets[start:], *subnets[:start]]:
        if not any(subnet.overlaps(other) for other in taken):
            return subnet
    sys.exit(f"private_network: every subnet of {POOL} overlaps a route of this machine")


def up(name: str, preferred: str) -> ipaddress.IPv4Network:
    """Make the bridge ``name`` in a free subnet, and let its containers reach out."""
    subnet = choose(name, preferred)
    bridge = bridge_network(subnet)
    bridge_request(SIOCBRADDBR, name)
    interface_request(SIOCSIFADDR, name, socket_address(bridge[1]))
    interface_request(SIOCSIFNETMASK, name, socket_address(bridge.netmask))
    set_up(name, up=True)
    if not firewall("-I", subnet):
        print("private_network: no firewall rules; containers cannot reach out", file=sys.stderr)
    return subnet


def main() -> None:
    """Dispatch ``up`` and ``down``."""
    match sys.argv[1:]:
        case ["up", name, preferred]:
            print(up(name, preferred))
        case ["down", subnet]:
            down(ipaddress.IPv4Network(subnet))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
