"""Measure how an artifact is best served: on the event loop or in threads, with or without micro-batches.

    python benchmarks/serving_modes/measure.py reference_service/artifacts/breast-cancer

Every mode is a service of its own on a copy of the artifact whose manifest says so. All are started, then
take turns, round after round, under `wrk` with 1, 8 and 64 keep-alive connections, while a second client asks
/health. Prints medians over the rounds, with the lowest and highest. CPU is the service's own time for a
request: on a busy machine it says more than the rate.
"""

import argparse
import hashlib
import http.client
import json
import os
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONNECTIONS = (1, 8, 64)
MODES = {
    "loop": (0, False),
    "loop, micro-batches": (0, True),
    "1 thread": (1, False),
    "1 thread, micro-batches": (1, True),
}
"""Threads, and whether requests share runs."""
LEAST_WAITS = 2  # a quantile needs two
TICKS = os.sysconf("SC_CLK_TCK")
SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-API-Key"] = "{key}"
wrk.body = [==[{body}]==]
done = function(summary, latency, requests)
  io.write(string.format("RESULT %d %d %f %f %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), summary.errors.status + summary.errors.read))
end
"""


class Service:
    """A mode, running."""

    def __init__(self, folder: Path, mode: str, source: Path, *, rows: int, key: str) -> None:
        artifact = Path(shutil.copytree(source, folder / mode.replace(" ", "_")))
        manifest = json.loads((artifact / "manifest.json").read_text())
        threads, shared = MODES[mode]
        manifest["serving"] = {"threads": threads, "micro_batch_rows": rows if shared else 1}
        (artifact / "manifest.json").write_text(json.dumps(manifest))
        keys = folder / "keys.json"
        entry = {
            "id": "bench",
            "sha256": hashlib.sha256(key.encode()).hexdigest(),
            "scopes": ["predict"],
            "quota": "10000000/second",
        }
        keys.write_text(json.dumps({"keys": [entry]}))
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        environment = {
            "PYTHONPATH": str(ROOT),
            "SERVICE_HOST": "127.0.0.1",
            "SERVICE_PORT": str(self.port),
            "SERVICE_ARTIFACT": str(artifact),
            "SERVICE_API_KEYS_FILE": str(keys),
            "SERVICE_RATE_LIMIT": "10000000/second",
        }
        self.log = (folder / f"{self.port}.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reference_service"], env=environment, stdout=self.log, cwd=ROOT
        )
        while not self.ready():
            if self.process.poll() is not None:
                raise SystemExit((folder / f"{self.port}.log").read_text())
            time.sleep(0.1)

    def ready(self) -> bool:
        """Tell whether it answers."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
            connection.request("GET", "/ready")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False

    def cpu_s(self) -> float:
        """Return the CPU time that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def load(self, script: Path, connections: int, seconds: int) -> dict[str, float]:
        """Return what one turn under load measures."""
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script)]
        stop = threading.Event()
        waits: list[float] = []
        asking = threading.Thread(target=self.ask_health, args=(stop, waits))
        before = self.cpu_s()
        asking.start()
        finished = subprocess.run(
            [*command, f"http://127.0.0.1:{self.port}/predict"], capture_output=True, text=True, check=True
        )
        stop.set()
        asking.join()
        used = self.cpu_s() - before
        requests, duration_us, median_us, p99_us, failed = (
            float(value) for value in finished.stdout.partition("RESULT ")[2].split()
        )
        if failed:
            raise SystemExit(f"{failed:g} failed requests")
        return {
            "requests/s": requests / (duration_us / 1e6),
            "CPU µs": 1e6 * used / requests,
            "median µs": median_us,
            "p99 µs": p99_us,
            "health p99 µs": 1e6 * statistics.quantiles(waits, n=100)[98],
        }

    def ask_health(self, stop: threading.Event, waits: list[float]) -> None:
        """Every 10 ms, so that it is no load of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        while not stop.wait(0.01) or len(waits) < LEAST_WAITS:
            begun = time.perf_counter()
            connection.request("GET", "/health")
            connection.getresponse().read()
            waits.append(time.perf_counter() - begun)


def request_of(sample: dict[str, object]) -> str:
    """The body of POST /predict with the manifest's sample."""
    return json.dumps({"instance" if "base64" in sample else "features": sample})


def main() -> None:
    """Measure every mode and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("artifact", type=Path)
    parser.add_argument("--rows", type=int, default=64, help="of a micro-batch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    options = parser.parse_args()
    key = secrets.token_hex(16)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        script = folder / "request.lua"
        sample = json.loads((options.artifact / "manifest.json").read_text())["sample"]["input"]
        script.write_text(SCRIPT.format(key=key, body=request_of(sample)))
        services = {}
        for mode in MODES:
            services[mode] = Service(folder, mode, options.artifact, rows=options.rows, key=key)
            stack.callback(services[mode].process.wait)
            stack.callback(services[mode].process.terminate)
        results: dict[tuple[int, str], list[dict[str, float]]] = {
            (connections, mode): [] for connections in CONNECTIONS for mode in MODES
        }
        for _ in range(options.rounds):
            for (connections, mode), measured in results.items():
                measured.append(services[mode].load(script, connections, options.seconds))
    names = list(next(iter(results.values()))[0])
    print(f"| connections | mode | {' | '.join(names)} |\n|---|---|{'---|' * len(names)}")
    for (connections, mode), rounds in results.items():
        cells = []
        for name in names:
            values = sorted(each[name] for each in rounds)
            cells.append(f"{statistics.median(values):,.0f} ({values[0]:,.0f}-{values[-1]:,.0f})")
        print(f"| {connections} | {mode} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
