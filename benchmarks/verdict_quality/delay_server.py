"""A server whose delays have known quantiles; `python delay_server.py JSON` prints its port.

After the last of them it prints, as JSON, what each really took from its arrival to its answer, in seconds.

Of n requests the delays are the n equally likely quantiles of the distribution, in random order: what is
measured over all of them differs from the distribution by no chance. Requests may overlap: none waits for
another. The answer is sent at its deadline, which is waited for in a loop, since no timer is as exact.
"""

import heapq
import json
import math
import os
import random
import selectors
import socket
import sys
import time
from statistics import NormalDist

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
WARMUP_S = 0.001


def delays_s(
    count: int, *, median_ms: float, sigma: float, stalled_share: float, stall_ms: float, seed: int
) -> list[float]:
    """`count` delays in random order."""
    draw = random.Random(seed)
    normal = NormalDist(0.0, sigma)
    stalled = round(stalled_share * count)
    delays = []
    for part, extra_ms in ((count - stalled, 0.0), (stalled, stall_ms)):
        quantiles = ((i + 0.5) / part for i in range(part))
        delays += [(median_ms * math.exp(normal.inv_cdf(q)) + extra_ms) / 1e3 for q in quantiles]
    draw.shuffle(delays)
    return delays


def serve(listener: socket.socket, delays: list[float], warmup: int) -> None:
    taken_s = []
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    due = []
    left = iter([WARMUP_S] * warmup + delays)
    while True:
        for key, _ in selector.select(0):  # never asleep: to wake up takes time as well
            if key.fileobj is listener:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(connection, selectors.EVENT_READ)
                continue
            arrived = time.perf_counter()
            try:
                data = key.fileobj.recv(65536)
            except OSError:
                data = b""
            if data:  # a request is small and comes whole
                at = arrived + next(left, WARMUP_S)
                heapq.heappush(due, (at, arrived, id(key.fileobj), key.fileobj))
            else:
                selector.unregister(key.fileobj)
                key.fileobj.close()
        while due and due[0][0] <= time.perf_counter():
            _, arrived, _, connection = heapq.heappop(due)
            taken_s.append(time.perf_counter() - arrived)
            connection.sendall(ANSWER)
            if len(taken_s) == warmup + len(delays):
                print(json.dumps(taken_s[warmup:]), flush=True)


def main() -> None:
    wanted = json.loads(sys.argv[1])
    if wanted["cpus"]:
        os.sched_setaffinity(0, wanted["cpus"])
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    delays = delays_s(wanted["requests"], seed=wanted["seed"], **wanted["delays"])
    print(listener.getsockname()[1], flush=True)
    serve(listener, delays, wanted["warmup"])


if __name__ == "__main__":
    main()
