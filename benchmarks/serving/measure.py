"""Requests per second and latency of one model behind four servers, side by side on one core.

Run `.venv/bin/python benchmarks/serving/measure.py` on Linux, with two cores that do nothing else (four
minutes; it needs wrk and taskset: Debian's packages `wrk` and `util-linux`). The first run makes an
environment for MLServer.

All servers are up all the time, on the first core; only one is asked at a time, from the second core. A round
asks each of them, in this order or in the reverse by turns, so that a slow minute of the machine meets all.
Figures are medians over rounds, with the quartiles; ratios are medians of the ratios within a round. The CPU
time of a request is the server's, as the kernel counts it: it changes least on a machine that is not idle.
"""

import argparse
import contextlib
import io
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from servers import HERE, MLSERVER_VENV, ROOT, Server, all_servers, install_mlserver, running

PAGE = ROOT / "docs" / "serving-speed.md"
SERVER_CORE, LOAD_CORE = 0, 1
CONNECTIONS = 8
WARM_UP_S = 2
PACKAGES = ("fastapi", "pydantic", "starlette", "uvicorn", "onnxruntime", "numpy")
LEAST_ROUNDS = 4
VERSIONS = """
import importlib.metadata, sys
print(*(f"{name} {importlib.metadata.version(name)}" for name in sys.argv[1:]), sep=", ")
"""
LATENCY = {"p50_ms": ("p50 ms", ".2f"), "p99_ms": ("p99 ms", ".2f")}
CLOSED = {"rate": ("requests/s", ".0f"), **LATENCY, "cpu_us": ("CPU us/request", ".0f")}

Figures = dict[str, float]
Measured = dict[str, list[Figures]]


def closed_loop(server: Server, process: int, folder: Path, seconds: int) -> Figures:
    """Ask with wrk as fast as it is answered."""
    (folder / "body").write_bytes(server.raw_body)
    (folder / "headers").write_text("".join(f"{name}: {value}\n" for name, value in server.headers.items()))
    options = ["--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}"]
    files = {"BODY_FILE": str(folder / "body"), "HEADERS_FILE": str(folder / "headers")}
    before_us = cpu_time_us(process)
    found = generate(["wrk", *options, "--script", str(HERE / "load.lua"), server.url], files)
    if found["errors"]:
        sys.exit(f"{server.name}: {found['errors']} requests failed")
    return {
        "rate": found["requests"] / found["duration_us"] * 1e6,
        "p50_ms": found["p50_us"] / 1e3,
        "p99_ms": found["p99_us"] / 1e3,
        "cpu_us": (cpu_time_us(process) - before_us) / found["requests"],
    }


def open_loop(server: Server, folder: Path, seconds: int, rate: float, seed: int) -> Figures:
    """Ask at a rate below everyone's capacity."""
    (folder / "request").write_bytes(server.raw_request)
    given = {"port": server.port, "request": folder / "request", "rate": rate, "seconds": seconds}
    given |= {"connections": CONNECTIONS, "seed": seed}
    options = [text for name, value in given.items() for text in (f"--{name}", str(value))]
    found = generate([sys.executable, str(HERE / "open_loop.py"), *options], {})
    return {"p50_ms": found["p50_us"] / 1e3, "p99_ms": found["p99_us"] / 1e3}


def generate(command: list[str], environment: dict[str, str]) -> Figures:
    """Run a load generator on its core; its last line is JSON."""
    done = subprocess.run(
        ["taskset", "--cpu-list", str(LOAD_CORE), *command],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: Figures = json.loads(done.stdout.splitlines()[-1])
    return found


def cpu_time_us(process: int) -> float:
    """Return the CPU time of all threads of a process (proc(5), utime and stime)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") * 1e6


def rounds(servers: list[Server], count: int, ask: Callable[[Server, int], Figures]) -> Measured:
    """Ask each server once a round, in alternating order."""
    found: Measured = {server.name: [] for server in servers}
    for number in range(count):
        for server in servers if number % 2 == 0 else reversed(servers):
            found[server.name].append(ask(server, number))
        print(f"\rround {number + 1} of {count}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return found


def median(values: list[float], form: str) -> str:
    """Format the median with the quartiles."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{middle:{form}} ({low:{form}}-{high:{form}})"


def print_table(found: Measured, columns: dict[str, tuple[str, str]]) -> None:
    print(f"{'':20}" + "".join(f"{title:>23}" for title, _ in columns.values()))
    for name, figures in found.items():
        cells = (median([each[key] for each in figures], form) for key, (_, form) in columns.items())
        print(f"{name:20}" + "".join(f"{cell:>23}" for cell in cells))


def print_ratios(found: Measured, columns: dict[str, tuple[str, str]]) -> None:
    """Print this service's figure divided by each other's in the same round."""
    ours, *others = found
    ratios = {
        f"/ {name}": [
            {key: mine[key] / other[key] for key in columns}
            for mine, other in zip(found[ours], found[name], strict=True)
        ]
        for name in others
    }
    print_table(ratios, {key: (title.partition(" ms")[0], ".2f") for key, (title, _) in columns.items()})


def print_circumstances() -> None:
    cpus = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    cpu = cpus[0].partition(": ")[2].strip() if cpus else platform.machine()
    commit = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {output(*commit)}, Linux {platform.release()}")
    print(f"{os.cpu_count()} cores ({cpu}), load {os.getloadavg()[0]:.2f} before the first round")
    print(f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in PACKAGES))
    print(f"MLServer's: {output(str(MLSERVER_VENV / 'bin/python'), '-c', VERSIONS, 'mlserver', *PACKAGES)}")


def output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def measure(options: argparse.Namespace, folder: Path) -> tuple[Measured, Measured]:
    """Start the servers and ask them; return what the closed and the open loop found."""
    servers = all_servers(folder)
    with contextlib.ExitStack() as stack:
        process = {
            server.name: stack.enter_context(running(server, SERVER_CORE, folder / f"{server.port}.log"))
            for server in servers
        }

        def closed_round(server: Server, _number: int) -> Figures:
            return closed_loop(server, process[server.name], folder, options.seconds)

        def open_round(server: Server, number: int) -> Figures:
            return open_loop(server, folder, options.seconds, options.rate, seed=number)

        for server in servers:
            closed_loop(server, process[server.name], folder, WARM_UP_S)
        closed = rounds(servers, options.rounds, closed_round)
        return closed, rounds(servers, options.rounds // 2, open_round)


def print_results(options: argparse.Namespace) -> None:
    """Measure everything and print it."""
    print(" ".join(["command: measure.py", *sys.argv[1:]]))
    print_circumstances()
    with tempfile.TemporaryDirectory() as name:
        closed, opened = measure(options, Path(name))
    print(f"\nClosed loop, {CONNECTIONS} connections: medians of {options.rounds} rounds (quartiles)")
    print_table(closed, CLOSED)
    print("\nThis service's figures divided by the others'")
    print_ratios(closed, CLOSED)
    print(f"\nOpen loop, {options.rate:g} requests/s: latency from the time meant to be sent")
    print_table(opened, LATENCY)
    print_ratios(opened, LATENCY)
    stages = ["taskset", "--cpu-list", str(SERVER_CORE), sys.executable, str(HERE / "stages.py")]
    print("\n" + output(*stages))


def publish(results: str) -> None:
    """Write the results beside this file and into the page that tells of them."""
    (HERE / "results.txt").write_text(results)
    before, fence, rest = PAGE.read_text().partition("```text\n")
    PAGE.write_text(before + fence + results + "```" + rest.partition("```")[2])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rounds", type=int, default=14, help="of the closed loop; half as many of the open one"
    )
    parser.add_argument("--seconds", type=int, default=2, help="per server and round")
    parser.add_argument("--rate", type=float, default=250, help="of the open loop, requests per second")
    parser.add_argument("--publish", action="store_true", help="into results.txt and docs/serving-speed.md")
    options = parser.parse_args()
    if options.rounds < LEAST_ROUNDS:
        parser.error(f"--rounds has to be {LEAST_ROUNDS} or more")
    missing = [program for program in ("wrk", "taskset", "git") if not shutil.which(program)]
    if missing or (os.cpu_count() or 1) <= LOAD_CORE:
        parser.error(f"needs two cores and wrk, taskset and git; not found: {', '.join(missing) or 'a core'}")
    install_mlserver()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        print_results(options)
    print(printed.getvalue(), end="")
    if options.publish:
        publish(printed.getvalue())


if __name__ == "__main__":
    main()
