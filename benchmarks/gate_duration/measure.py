"""How long a whole gate takes, check by check, and how often it is wrong on an image gated against itself.

Run `.venv/bin/python benchmarks/gate_duration/measure.py` on a machine that does nothing else: ten gates
(`--gates`) of about two minutes. Each is what `make gate` runs on this checkout: with a container engine, the
reference image against itself (A/A). Nothing differs, so a reject is wrong, and an inconclusive gate is one
that this machine was too busy to decide. CANDIDATE and REFERENCE in the environment gate other images.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from harness.model import Decision, Report
from harness.policy import exit_code
from harness.stats.proportions import clopper_pearson_upper

ROOT = Path(__file__).resolve().parents[2]
ALPHA = 0.05


def run_gate(out: Path, seed: int) -> tuple[Report, float]:
    """Run one whole gate; return its report and the seconds that the command took, image builds included."""
    begun = time.monotonic()
    command = [str(ROOT / "scripts" / "gate.sh"), "--out", str(out), "--seed", str(seed)]
    code = subprocess.run(command, check=False, stdout=sys.stderr).returncode
    took_s = time.monotonic() - begun
    if not (out / "latest").exists():
        sys.exit(f"gate_duration: gate {seed} wrote no report (exit code {code})")
    report = Report.model_validate_json((out / "latest").read_text())
    if code != exit_code(report.decision, report.checks):
        sys.exit(f"gate_duration: gate {seed} decided {report.decision}, and exited with {code}")
    return report, took_s


def spread(name: str, seconds: Iterable[float]) -> str:
    """Return a row: median, least and most."""
    values = list(seconds)
    return f"{name:24}{statistics.median(values):>10.1f}{min(values):>10.1f}{max(values):>10.1f}"


def print_durations(reports: list[Report], took_s: list[float]) -> None:
    print(f"\n{'seconds':24}{'median':>10}{'least':>10}{'most':>10}")
    for check in sorted(reports[0].checks, key=lambda check: -check.duration_s):
        print(spread(check.id, (c.duration_s for r in reports for c in r.checks if c.id == check.id)))
    print(spread("gate, as reported", (report.duration_s for report in reports)))
    print(spread("command, with builds", took_s))


def print_verdicts(reports: list[Report]) -> None:
    decisions = Counter(report.decision for report in reports)
    print(f"\n{'verdict':24}{'gates':>10}{'at most':>10}   (95 % upper bound of its share)")
    for decision in Decision:
        most = clopper_pearson_upper(decisions[decision], len(reports), ALPHA)
        print(f"{decision.value:24}{decisions[decision]:>10}{most:>10.0%}")
    reasons = Counter((reason.finding_id or reason.check_id) for r in reports for reason in r.reasons)
    for reason, count in reasons.most_common():
        print(f"  {count} times because of {reason}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gates", type=int, default=10, help="how many; 10 by default")
    gates = parser.parse_args().gates
    if gates < 1:
        parser.error("--gates has to be 1 or more")
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        runs = [run_gate(Path(folder, str(seed)), seed) for seed in range(gates)]
    reports, took_s = [report for report, _ in runs], [seconds for _, seconds in runs]
    first = reports[0]
    print(f"{gates} gates of {first.candidate.image or 'the checkout'} as {first.scope}, suite {first.suite}")
    print(f"{first.environment.cores} cores ({first.environment.cpu}), load {load:.2f} before the first gate")
    print_durations(reports, took_s)
    print_verdicts(reports)


if __name__ == "__main__":
    main()
