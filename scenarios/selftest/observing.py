"""What probes see of a service beside its answers: how long they take, and what its metrics count."""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any

import httpx

HELD_S = 0.05
LINE = re.compile(r"^(?P<name>[a-zA-Z_:]\w*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$", re.MULTILINE)


def seconds(ask: Callable[[], httpx.Response]) -> float:
    """How long one success takes; any other answer leaves the probe unable to tell."""
    started = time.perf_counter()
    ask().raise_for_status()
    return time.perf_counter() - started


def least_s(ask: Callable[[], httpx.Response], times: int = 30) -> float:
    """The shortest time of some: what even the calmest moment of the machine takes."""
    return min(seconds(ask) for _ in range(times))


def together_s(ask: Callable[[], httpx.Response], at_once: int, rounds: int = 4) -> float:
    """Until the last of so many requests that come at once is answered, in the quickest of some rounds."""

    def one_round() -> float:
        started = time.perf_counter()
        asked = [pool.submit(ask) for _ in range(at_once)]
        for each in asked:
            each.result().raise_for_status()
        return time.perf_counter() - started

    with ThreadPoolExecutor(at_once) as pool:
        return min(one_round() for _ in range(rounds))


def at_one_instant_s(
    base_url: str, headers: Mapping[str, str], body: Mapping[str, Any], at_once: int
) -> float:
    """Until the last of some predictions is answered whose last bytes come together."""
    url, content = httpx.URL(base_url), json.dumps(body).encode()
    connections = [HTTPConnection(url.host, url.port, timeout=10) for _ in range(at_once)]
    try:
        for each in connections:
            each.putrequest("POST", "/predict")
            length = {"Content-Type": "application/json", "Content-Length": str(len(content))}
            for name, value in {**headers, **length}.items():
                each.putheader(name, value)
            each.endheaders(content[:-1])
        time.sleep(HELD_S)
        started = time.perf_counter()
        for each in connections:
            each.send(content[-1:])
        for each in connections:
            each.getresponse().read()
        return time.perf_counter() - started
    finally:
        for each in connections:
            each.close()


def regularly(seen: Sequence[bool], period: int) -> bool:
    """Whether it was seen at each so-manieth place, wherever that begins: noise is not that regular."""
    return any(all(seen[first::period]) for first in range(period))


def total(client: httpx.Client, metric: str, **labels: str) -> float:
    """The sum of the samples of a metric that have these labels; 0 where there is none."""
    wanted = {f'{name}="{value}"' for name, value in labels.items()}
    exposed = client.get("/metrics").raise_for_status().text
    return sum(
        float(line["value"])
        for line in LINE.finditer(exposed)
        if line["name"] == metric and wanted <= set((line["labels"] or "").split(","))
    )
