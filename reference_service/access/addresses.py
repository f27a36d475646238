"""Where a request comes from: the peer's address, or what trusted proxies say of it.

Of the forwarding headers only `X-Forwarded-For` is read, and only when the peer is a trusted proxy. Each
proxy appends the address that called it, so the right-most address that is no trusted proxy's was written by
one that is trusted; everything left of it may be made up.
"""

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.datastructures import Headers
from starlette.types import Scope

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
UNKNOWN = "unknown"
REMEMBERED = 4096
"""Addresses last read: most requests come from few, and reading one takes longer than charging its quota."""
MAX_ADDRESS_CHARS = 64
"""More than any spelling of an address has; what is longer is not worth remembering."""
IPV6_GROUP_BITS = 64
"""One customer has at least so long a prefix to choose addresses from (RFC 6177)."""


class ClientAddresses:
    """Finds the address that a request is counted by."""

    def __init__(self, trusted_proxies: tuple[Network, ...]) -> None:
        self._trusted = trusted_proxies

    def of(self, scope: Scope) -> str:
        """Return the IPv4 address or IPv6 /64 network of the client; `unknown` if the peer has none.

        The hops are walked from the peer backwards as long as each is a trusted proxy. A value that is no
        address ends the walk at the proxy that passed it on.
        """
        peer = parse_address((scope.get("client") or ("", 0))[0])
        if peer is None:
            return UNKNOWN
        client = peer
        if self._trusted and self._is_trusted(peer):
            for hop in _forwarded_for(Headers(scope=scope)):
                address = parse_address(hop)
                if address is None:
                    break
                client = address
                if not self._is_trusted(address):
                    break
        return group(client)

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


@lru_cache(maxsize=REMEMBERED)
def parse_address(text: str) -> Address | None:
    """Read an address as proxies write it, with or without a port; None if it is none.

    An IPv4 address written as IPv6 (`::ffff:192.0.2.1`) is that IPv4 address.
    """
    text = text.strip()
    if text.startswith("["):
        text, bracket, port = text[1:].partition("]")
        if not bracket or (port and not _is_port(port)):
            return None
    elif text.count(":") == 1:
        text, _, port = text.partition(":")
        if not _is_port(f":{port}"):
            return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=REMEMBERED)
def group(address: Address) -> str:
    """Return an IPv4 address itself, an IPv6 address as its /64 network: the host part is free to choose."""
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((int(address), IPV6_GROUP_BITS), strict=False))


def _is_port(text: str) -> bool:
    return text.startswith(":") and text[1:].isascii() and text[1:].isdecimal()


def _forwarded_for(headers: Headers) -> Iterator[str]:
    """Give the hops of all `X-Forwarded-For` lines, the nearest first."""
    for line in reversed(headers.getlist("x-forwarded-for")):
        yield from (hop if len(hop) <= MAX_ADDRESS_CHARS else "" for hop in reversed(line.split(",")))
