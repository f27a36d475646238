"""Sixteen requests at one instant, of which five are allowed."""

import json
import socket
from contextlib import ExitStack

from probing import TIMEOUT_S, given, prove, sample

AT_ONCE = 16
told = given()
BODY = json.dumps({"features": sample()}).encode()
HEADERS = told.headers["rate_at_once"] | {
    "Host": "localhost",
    "Connection": "close",
    "Content-Type": "application/json",
    "Content-Length": str(len(BODY)),
}
LINES = ["POST /predict HTTP/1.1", *(f"{name}: {value}" for name, value in HEADERS.items()), "", ""]
HEAD = "\r\n".join(LINES).encode()


def answers_more(client):
    """The last byte of each head goes out when all others are there: a quota is asked before the body."""
    url = client.base_url
    with ExitStack() as stack:
        connections = [
            stack.enter_context(socket.create_connection((url.host, url.port), TIMEOUT_S))
            for _ in range(AT_ONCE)
        ]
        for each in connections:
            each.sendall(HEAD[:-1])
        for each in connections:
            each.sendall(HEAD[-1:] + BODY)
        lines = [stack.enter_context(each.makefile("rb")).readline() for each in connections]
    return sum(line.startswith(b"HTTP/1.1 200") for line in lines) > 5


prove(told, answers_more, "of requests at one instant more than five are answered")
