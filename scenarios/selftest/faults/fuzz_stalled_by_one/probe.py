"""While one client is half-way through its body, another gets no answer."""

import json
import socket

import httpx
from probing import TIMEOUT_S, answered, given, predict, prove, sample

WAIT_S = 3
TOLD = given()
KEY = TOLD.headers["api_key"]


def shows(client):
    """By a body that stops half-way, and a whole one beside it."""
    body = json.dumps({"features": sample()}).encode()
    lines = ["POST /predict HTTP/1.1", f"Host: {client.base_url.netloc.decode()}"]
    lines += [f"{name}: {value}" for name, value in KEY.items()]
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}", "", ""]
    address = client.base_url.host, client.base_url.port
    with socket.create_connection(address, timeout=TIMEOUT_S) as slow:
        slow.sendall("\r\n".join(lines).encode() + body[: len(body) // 2])
        with TOLD.client(str(client.base_url), timeout=WAIT_S) as other:
            try:
                answered(predict(other, KEY, sample()))
            except httpx.ReadTimeout:
                return True
    return False


prove(TOLD, shows, "one slow client stalls the others")
