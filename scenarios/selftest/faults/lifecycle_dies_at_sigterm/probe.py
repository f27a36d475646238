"""A request that is half sent when SIGTERM comes is never answered."""

import signal
import socket
import time

import httpx
from containers import Starter, prove_of_starts
from probing import given

HALF = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
ARRIVES_S = 0.3


def shows(start: Starter, _given: httpx.Client) -> bool:
    """Of a start of its own, which this ends. It asks what needs no key."""
    with start() as own:
        if not own.ready():
            raise ChildProcessError("it ended before it was ready")
        with socket.create_connection(("127.0.0.1", own.port), timeout=5) as connection:
            connection.sendall(HALF)
            time.sleep(ARRIVES_S)
            own.container.kill(signal.SIGTERM)
            time.sleep(ARRIVES_S)
            try:
                connection.sendall(b"\r\n")
                return not connection.recv(1024).startswith(b"HTTP/1.1 200 ")
            except OSError:
                return True


prove_of_starts(given(), shows, "a request that was begun before SIGTERM is not answered")
