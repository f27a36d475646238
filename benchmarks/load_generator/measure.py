"""Requests a second of one core: this generator, stock Locust and wrk against a bare ASGI application.

    python benchmarks/load_generator/measure.py [--rounds 7] [--seconds 5]

The server has the first core and each generator the last. In each round all three run, in an order drawn
anew, with as many connections. Ours is asked for more than it can send, so that it never waits; besides, at
rates that it can hold, by how much its requests leave late. Prints medians and spread over the rounds, and
writes results.json.
"""

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from harness.load import Arrival, LoadGenerator, LoadPlan, Payload, Samples, Side

HERE = Path(__file__).resolve().parent
PORT = 18090
URL = f"http://127.0.0.1:{PORT}"
BODY = json.dumps({"features": {f"feature_{number}": number / 7 for number in range(30)}})
HEADERS = {"Content-Type": "application/json", "X-API-Key": "a key of this benchmark, 32 bytes"}
CONNECTIONS = 8
WARMUP_S = 1.0
BEYOND_PER_S = 8000
HELD_PER_S = (100, 500, 1000)
CORES = sorted(os.sched_getaffinity(0))
SERVER, GENERATOR = CORES[0], CORES[-1]
START_TIMEOUT_S = 30


@contextmanager
def server() -> Iterator[None]:
    command = ["taskset", "-c", str(SERVER), sys.executable, "-m", "uvicorn", "bare_asgi:app", "--app-dir"]
    command += [str(HERE.parent / "serving"), "--port", str(PORT), "--no-access-log", "--log-level", "error"]
    with subprocess.Popen(command) as process:
        try:
            deadline = time.monotonic() + START_TIMEOUT_S
            while True:
                try:
                    with urllib.request.urlopen(URL, timeout=1):
                        break
                except urllib.error.URLError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.1)
            yield
        finally:
            process.kill()


def plan(rate_per_s: float, seconds: float) -> LoadPlan:
    return LoadPlan(
        sides=(Side(name="candidate", base_url=URL),),
        payloads=(Payload(method="POST", path="/", headers=HEADERS, body=BODY.encode()),),
        rate_per_s=rate_per_s,
        arrival=Arrival.CONSTANT,
        block_arrivals=round(rate_per_s * seconds),
        seed=1,
        timeout_s=60.0,
        warmup_requests=1000,
        concurrency=CONNECTIONS,
        cpu_affinity=(GENERATOR,),
    )


def sent(rate_per_s: float, seconds: float) -> Samples:
    with (
        tempfile.TemporaryDirectory() as folder,
        LoadGenerator(plan(rate_per_s, seconds), Path(folder)) as load,
    ):
        samples = load.run_block(0)
    if samples.failed.any():
        raise SystemExit("measure: the server failed a request")
    return samples


def ours(seconds: float) -> dict[str, float]:
    samples = sent(BEYOND_PER_S, seconds)
    requests = samples.side.size
    return {
        "requests_per_s": requests / samples.wall_s.sum(),
        "requests_per_cpu_s": requests / samples.cpu_s.sum(),
    }


def stock(seconds: float) -> dict[str, float]:
    wanted = {"url": URL, "body": BODY, "headers": HEADERS, "connections": CONNECTIONS}
    wanted |= {"warmup_s": WARMUP_S, "seconds": seconds}
    command = ["taskset", "-c", str(GENERATOR), sys.executable, str(HERE / "stock.py"), json.dumps(wanted)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout.splitlines()[-1])
    if found["failures"]:
        raise SystemExit("measure: the server failed a request")
    return {
        "requests_per_s": found["requests"] / found["wall_s"],
        "requests_per_cpu_s": found["requests"] / found["cpu_s"],
    }


def wrk(seconds: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        headers, body = Path(folder, "headers"), Path(folder, "body")
        headers.write_text("".join(f"{name}: {value}\n" for name, value in HEADERS.items()))
        body.write_text(BODY)
        command = ["taskset", "-c", str(GENERATOR), "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{round(seconds)}s"]
        command += ["-s", str(HERE.parent / "serving" / "load.lua"), URL]
        environment = {**os.environ, "HEADERS_FILE": str(headers), "BODY_FILE": str(body)}
        before = os.times()
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
        after = os.times()
    found = json.loads(re.findall(r"^\{.*\}$", done, re.MULTILINE)[-1])
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return {
        "requests_per_s": found["requests"] / (found["duration_us"] / 1e6),
        "requests_per_cpu_s": found["requests"] / cpu_s,
    }


def lag(rate_per_s: float, seconds: float) -> dict[str, float]:
    samples = sent(rate_per_s, seconds)
    p50, p99 = np.quantile(samples.lag_s, [0.5, 0.99]) * 1e3
    cpu_share = float(samples.cpu_s.sum() / samples.wall_s.sum())
    return {"lag_p50_ms": float(p50), "lag_p99_ms": float(p99), "cpu_share": cpu_share}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    generators = {"harness": ours, "stock FastHttpUser": stock, "wrk": wrk}
    found: dict[str, list[dict[str, float]]] = {}
    order = random.Random(0)
    with server():
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
            for name in order.sample(list(generators), len(generators)):
                found.setdefault(name, []).append(generators[name](options.seconds))
            for rate_per_s in HELD_PER_S:
                found.setdefault(f"harness at {rate_per_s}/s", []).append(lag(rate_per_s, options.seconds))
    (HERE / "results.json").write_text(json.dumps(found, indent=1) + "\n")
    for name, rounds in found.items():
        figures = [
            f"{key} {statistics.median(values):.4g} ({min(values):.4g}-{max(values):.4g})"
            for key in rounds[0]
            for values in [[each[key] for each in rounds]]
        ]
        print(f"{name:20} {', '.join(figures)}")


if __name__ == "__main__":
    main()
