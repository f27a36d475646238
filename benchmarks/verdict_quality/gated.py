"""One run of the harness's latency check on fresh containers, by the code of `harness run`."""

import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.verdict_quality.results import Line
from harness.checks.latency.evidence import LatencyEvidence
from harness.checks.latency.findings import CHECK_ID
from harness.gate import GateRequest, gate
from harness.model import CheckResult, Family
from harness.reports.store import evidence_folder
from harness.stats.quantiles import Times, quantile

QUANTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
BUSY = """
import time
while True:
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        pass
    time.sleep(0.5)
"""


def run_gate(
    config: Path, out: Path, *, candidate: str, reference: str, seed: int, family: bool = False
) -> Line:
    """Gate an image by its latency alone; return what was decided, how fast, and on what.

    Args:
        config: The suite.
        out: For the report; removed at the end.
        candidate: An image.
        reference: An image.
        seed: Of the run.
        family: Whether all latency checks decide, or `latency.paired` alone; times are always of the latter.
    """
    request = GateRequest(
        candidate=candidate,
        reference=reference,
        config=config,
        only=frozenset({Family.LATENCY}),
        checks=frozenset() if family else frozenset({CHECK_ID}),
        out=out,
        seed=seed,
    )
    report, path = gate(request, os.environ, lambda _event: None)
    folder = evidence_folder(path)
    latency = [check for check in report.checks if check.family is Family.LATENCY]
    paired = next(check for check in latency if check.id == CHECK_ID)
    line: Line = {
        "decision": report.decision.value,
        "reasons": [_short(reason.finding_id or reason.check_id) for reason in report.reasons],
        "check_s": sum(check.duration_s for check in latency),
        "findings": [finding for check in latency for finding in _findings(check)],
        "validity": report.validity,
    }
    if paired.error is None:
        line |= _measured(LatencyEvidence.load(folder / CHECK_ID))
    if errors := [check.error.message for check in latency if check.error is not None]:
        line["error"] = errors[0]
    shutil.rmtree(out)
    return line


def _findings(check: CheckResult) -> list[dict[str, Any]]:
    return [
        {
            "id": _short(finding.id),
            "outcome": finding.outcome.value,
            "observed": _finite(finding.observed),
            "lower": _finite(finding.lower),
            "upper": _finite(finding.upper),
            "limit": _finite(finding.limit),
            "samples": finding.samples,
        }
        for finding in check.findings
    ]


def _short(finding_id: str) -> str:
    return finding_id.removeprefix(f"{CHECK_ID}.")


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _measured(evidence: LatencyEvidence) -> Line:
    """The seconds of load until the verdict, quantiles of both sides and their CPU time per request in ms."""
    samples = evidence.samples
    cpu_ms = {
        name: _finite(round(1e3 * float(np.nansum(evidence.usage.cpu_of(side))) / evidence.executed, 5))
        for side, name in enumerate(evidence.sides)
    }
    times = {
        name: response_ms(samples.response_s[samples.of_side(side)])
        for side, name in enumerate(evidence.sides)
    }
    return {
        "load_s": round(float(samples.wall_s.sum()), 3),
        "pairs": evidence.executed,
        "times_ms": times,
        "cpu_ms": cpu_ms,
    }


def response_ms(times_s: Times) -> dict[str, float | None]:
    """Quantiles in ms, None where so many failed that there is none."""
    return {name: _finite(round(1e3 * quantile(times_s, p), 4)) for name, p in QUANTILES.items()}


@contextmanager
def busy_loop() -> Iterator[None]:
    """A process of its own, bound to no core, that computes for half of each second."""
    with subprocess.Popen([sys.executable, "-c", BUSY]) as process:
        try:
            yield
        finally:
            process.kill()
