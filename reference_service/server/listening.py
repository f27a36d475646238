"""The socket that a process listens on."""

import socket


class ListenError(Exception):
    """The address can't be listened on."""


def bind(host: str, port: int, *, shared: bool) -> socket.socket:
    """Bind without listening yet: until the model is loaded, connections are refused.

    Args:
        host: An address, or a name that has one.
        port: TCP port.
        shared: Whether other processes of this user may bind the same address. The kernel then spreads new
            connections over those that listen.

    Raises:
        ListenError: The address is not this machine's, is in use, or the port is reserved.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise ListenError(f"SERVICE_HOST={host}, SERVICE_PORT={port}: {error.strerror}") from error
    return listener
