"""A service whose delays are known: one process, one thread, blocking sleeps (late by about 0.1 ms).

Run as `python delay_server.py '{"delay_ms": 2.0}'`; it prints its port. /metrics tells how many POSTs it had.
"""

import json
import os
import random
import selectors
import socket
import sys
import time


def main() -> None:
    wanted = {
        "delay_ms": 2.0,
        "jitter": 0.1,
        "stall_share": 0.0,
        "stall_ms": 0.0,
        "error_share": 0.0,
        "seed": 1,
        "host": "127.0.0.1",
    }
    wanted |= json.loads(sys.argv[1])
    if wanted.get("cpus"):
        os.sched_setaffinity(0, {int(core) for core in wanted["cpus"].split(",")})
    draw = random.Random(wanted["seed"])
    listener = socket.create_server((wanted["host"], 0), backlog=128)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    buffers: dict[socket.socket, bytes] = {}
    posts = 0
    while True:
        for key, _ in selector.select():
            connection = key.fileobj
            if connection is listener:
                accepted, _ = listener.accept()
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(accepted, selectors.EVENT_READ)
                buffers[accepted] = b""
                continue
            try:
                data = connection.recv(65536)
            except OSError:
                data = b""
            if not data:
                selector.unregister(connection)
                connection.close()
                del buffers[connection]
                continue
            buffers[connection] += data
            start, separator, rest = buffers[connection].partition(b"\r\n\r\n")
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in start.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                ),
                0,
            )
            if not separator or len(rest) < length:
                continue
            buffers[connection] = rest[length:]
            method, path = start.split(b" ")[:2]
            posts += method == b"POST"
            reply = metrics(posts) if path == b"/metrics" else answer(path, wanted, draw)
            connection.sendall(reply)
            if b"Connection: close" in reply:
                selector.unregister(connection)
                connection.close()
                del buffers[connection]


def head(status: bytes, length: int) -> bytes:
    return b"HTTP/1.1 " + status + b"\r\nContent-Length: " + str(length).encode() + b"\r\n"


LINE = b"X-Line: " + b"x" * 92 + b"\r\n"  # 98 characters
FIXED = {
    b"/redirect": head(b"302 Found", 0) + b"Location: /\r\n\r\n",
    b"/short": head(b"200 OK", 50) + b"Connection: close\r\n\r\nshort",
    b"/garbage": b"not http at all\r\n\r\n",
    b"/headers": head(b"200 OK", 2) + 2000 * LINE + b"\r\n{}",
    b"/trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
    + 2000 * LINE
    + b"\r\n",
    b"/interim": 2000 * (b"HTTP/1.1 103 Early Hints\r\n" + LINE + b"\r\n") + head(b"200 OK", 2) + b"\r\n{}",
    b"/long": head(b"200 OK", 2000) + b"\r\n" + b"x" * 2000,
}
SERVED = {b"/", b"/hang", b"/a%20b", b"//predict"}


def metrics(posts: int) -> bytes:
    body = f"# TYPE posts counter\nposts_total {posts}\n".encode()
    return head(b"200 OK", len(body)) + b"\r\n" + body


def answer(path: bytes, wanted: dict, draw: random.Random) -> bytes:
    if path not in SERVED:
        return FIXED.get(path, head(b"404 Not Found", 2) + b"\r\n{}")
    if path == b"/hang":
        time.sleep(1.0)
    if draw.random() < wanted["error_share"]:
        return b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}"
    delay_ms = wanted["delay_ms"] * draw.lognormvariate(0.0, wanted["jitter"])
    if draw.random() < wanted["stall_share"]:
        delay_ms += wanted["stall_ms"]
    time.sleep(delay_ms / 1000.0)
    return b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'


if __name__ == "__main__":
    main()
