"""The gate that Locust is mostly used for: each service in turn, its percentiles, a fixed threshold."""

import csv
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from benchmarks.verdict_quality.plan import Stock
from benchmarks.verdict_quality.results import Line
from harness.config.suite import Suite
from harness.credentials import Credentials
from harness.environment import split_cores
from harness.targets.engine import Engine
from harness.targets.launch import Launcher

LOCUSTFILE = Path(__file__).with_name("stock_locustfile.py")
COLUMNS = {"p50": "50%", "p95": "95%", "p99": "99%"}
JUDGED = ("p95", "p99")
STARTING_S = 60


def run_stock(
    suite: Suite, engine: Engine, stock: Stock, folder: Path, *, candidate: str, reference: str
) -> Line:
    """Load both services, one after the other; return what Locust says of each."""
    credentials = Credentials(suite.config.auth, {})
    launcher = Launcher(
        suite=suite,
        engine=engine,
        values={**credentials.template_values(), "device": "cpu"},
        certificates=credentials.certificates,
        run_token=secrets.token_hex(3),
        base_image=None,
        gpu=False,
        progress=lambda _step, _total: None,
    )
    cpus, generator_cpus = split_cores()
    key = credentials.key("default")
    with ExitStack() as stack:
        started = {
            name: stack.enter_context(launcher.resolve(image).start(cpus)).load_url
            for name, image in (("reference", reference), ("candidate", candidate))
        }
        measured = {
            name: _load(url, key, stock, folder / name, generator_cpus) for name, url in started.items()
        }
    return {
        "times_ms": {
            name: {q: float(row[column]) for q, column in COLUMNS.items()} for name, row in measured.items()
        },
        "requests": {name: int(row["Request Count"]) for name, row in measured.items()},
        "failures": {name: int(row["Failure Count"]) for name, row in measured.items()},
    }


def _load(url: str, key: str, stock: Stock, prefix: Path, cpus: tuple[int, ...] | None) -> dict[str, str]:
    """The line of all requests in Locust's own table."""
    command = [sys.executable, "-m", "locust", "--locustfile", str(LOCUSTFILE), "--headless", "--host", url]
    command += ["--users", str(stock.users), "--spawn-rate", str(stock.users)]
    command += ["--run-time", f"{stock.duration_s}s", "--csv", str(prefix), "--only-summary"]
    log = prefix.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, "STOCK_API_KEY": key}
        )
        try:
            if cpus is not None:
                os.sched_setaffinity(process.pid, cpus)
            process.wait(stock.duration_s + STARTING_S)
        finally:
            process.kill()
            process.wait()
    table = Path(f"{prefix}_stats.csv")
    if not table.exists():
        raise RuntimeError(f"Locust wrote no table: {log.read_text(errors='replace')[-500:]}")
    with table.open(newline="", encoding="utf-8") as file:
        row = next(row for row in csv.DictReader(file) if row["Name"] == "Aggregated")
    if row["Request Count"] == "0":
        raise RuntimeError("Locust had no answer to any request")
    return row


def rejects(line: Line, thresholds: Mapping[str, float]) -> bool:
    """Whether fixed thresholds on the rise of p95 and p99 reject the candidate."""
    candidate, reference = line["times_ms"]["candidate"], line["times_ms"]["reference"]
    failed = line["failures"]["candidate"] > 0
    return failed or any(candidate[name] > (1 + thresholds[name]) * reference[name] for name in JUDGED)
