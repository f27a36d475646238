"""Carries out what the plan asks for, one run at a time, and writes a line for each."""

import os
import subprocess
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.verdict_quality import calibration
from benchmarks.verdict_quality.accuracy import run_accuracy
from benchmarks.verdict_quality.gated import busy_loop, run_gate
from benchmarks.verdict_quality.plan import Kind, Plan, Slowed, Task
from benchmarks.verdict_quality.results import RESULTS, Line, append, read
from benchmarks.verdict_quality.services import ROOT, Images, Workspace, suite_of
from benchmarks.verdict_quality.stock import run_stock
from harness.errors import Interrupted


class Bench:
    """Runs tasks and writes their lines."""

    def __init__(
        self, plan: Plan, *, digest: str, path: Path, images: Images, workspace: Workspace, folder: Path
    ) -> None:
        self.plan = plan
        self.digest = digest
        self.images = images
        self.workspace = workspace
        self.folder = folder
        self.path = path
        self.lines = read(self.path)
        self.commit = _commit()

    def calibrate(self, slowed: Slowed) -> Line:
        """Measure once more what a service has to be slowed by."""
        step = len(calibration.of(slowed, self.lines))
        amount = calibration.amount(slowed, self.lines)
        task = Task(kind=Kind.CALIBRATION, name=slowed.key, index=step)
        scenario = calibration.measuring(slowed, self.plan.calibration.budget_s)

        def measure() -> Line:
            measured = run_gate(
                self.workspace.suite(scenario, self.plan.seed_of(task)),
                self.workspace.reports,
                candidate=self.images.slowed(slowed, amount),
                reference=self.images.plain,
                seed=self.plan.seed_of(task),
            )
            return {"amount": amount, "seen": calibration.seen(slowed, measured), **measured}

        return self._write(task, measure)

    def build(self, slowed: Slowed | None) -> str:
        """The image of a service, slowed by what the measurements say."""
        if slowed is None:
            return self.images.plain
        return self.images.slowed(slowed, calibration.amount(slowed, self.lines))

    def run(self, task: Task) -> Line:
        """Run a task; return its line."""
        return self._write(task, lambda: self._measure(task))

    def _measure(self, task: Task) -> Line:
        seed = self.plan.seed_of(task)
        if task.kind is Kind.ACCURACY:
            return run_accuracy(self.plan.delays(task.name), self.plan.accuracy, self.folder, seed)
        scenario = self.plan.scenario(task.name)
        images = {"candidate": self.build(scenario.candidate), "reference": self.build(scenario.reference)}
        with busy_loop() if scenario.noise else nullcontext():
            if task.kind is Kind.STOCK:
                suite, engine = suite_of(scenario, seed=seed), self.images.engine
                return run_stock(suite, engine, self.plan.stock, self.folder, **images)
            return run_gate(
                self.workspace.suite(scenario, seed),
                self.workspace.reports,
                seed=seed,
                family=scenario.family,
                **images,
            )

    def _write(self, task: Task, measure: Callable[[], Line]) -> Line:
        begun = time.monotonic()
        line: Line = {
            **task.model_dump(mode="json"),
            "plan": self.digest,
            "commit": self.commit,
            "seed": self.plan.seed_of(task),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "load_average": os.getloadavg()[0],
        }
        try:
            line |= measure()
        except Interrupted:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the run counts, and is listed
            line["error"] = f"{type(error).__name__}: {error}"[:500]
        line["took_s"] = round(time.monotonic() - begun, 2)
        append(self.path, line)
        self.lines.append(line)
        return line


def _commit() -> str:
    """The commit of this checkout, and whether more than the results differs from it."""
    head = _git("rev-parse", "--short=12", "HEAD")
    changed = _git(
        "status", "--porcelain", "--untracked-files=no", "--", ".", f":!{RESULTS.relative_to(ROOT)}"
    )
    return f"{head}-changed" if changed else head or "unknown"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()
