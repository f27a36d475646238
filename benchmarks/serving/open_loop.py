"""Sends requests at seeded random times, whether or not earlier ones are answered, and prints p50 and p99.

The latency of a request counts from the time it was meant to be sent, so time spent waiting for a free
connection is in it (a closed loop, such as wrk's, leaves it out). The process spins instead of
sleeping: timers can be coarser than the times measured.
"""

import argparse
import json
import random
import select
import socket
import time
from pathlib import Path


class Connection:
    """One keep-alive connection, with the answer received so far."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self._answer = b""

    def send(self, request: bytes, due: float) -> None:
        self.due, self._answer = due, b""
        self.socket.sendall(request)

    def answered(self) -> bool:
        """Read what is there; tell whether the answer is whole."""
        received = self.socket.recv(65536)
        if not received:
            raise SystemExit("open_loop: the server closed a connection")
        self._answer += received
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not end:
            return False
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"open_loop: {self._answer!r}")
        return len(body) >= int(head.lower().partition(b"content-length:")[2].split()[0])


def latencies(port: int, request: bytes, due: list[float], connections: int) -> list[float]:
    """Send each request at its time or as soon as a connection is free; return sorted latencies in s."""
    idle = [Connection(port) for _ in range(connections)]
    by_number = {connection.socket.fileno(): connection for connection in idle}
    poll = select.poll()
    for number in by_number:
        poll.register(number, select.POLLIN)
    found: list[float] = []
    sent, begun = 0, time.perf_counter()
    while len(found) < len(due):
        now = time.perf_counter() - begun
        if sent < len(due) and due[sent] <= now and idle:
            idle.pop().send(request, due[sent])
            sent += 1
        for number, _ in poll.poll(0):
            connection = by_number[number]
            if connection.answered():
                found.append(time.perf_counter() - begun - connection.due)
                idle.append(connection)
    return sorted(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--request", type=Path, required=True, help="file with the whole HTTP request")
    parser.add_argument("--rate", type=float, required=True, help="mean arrivals per second")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    options = parser.parse_args()
    arrivals = random.Random(options.seed)
    count = round(options.rate * options.seconds)
    due = [0.0]
    while len(due) < count:
        due.append(due[-1] + arrivals.expovariate(options.rate))
    found = latencies(options.port, options.request.read_bytes(), due, options.connections)
    print(json.dumps({"p50_us": found[count // 2] * 1e6, "p99_us": found[int(count * 0.99)] * 1e6}))


if __name__ == "__main__":
    main()
