"""How often the latency verdict is right: `python -m benchmarks.verdict_quality`, on a machine left alone.

It runs what plan.toml says, in a random order, and writes a line to results/ after each run; called again it
goes on where it stopped. `--report` prints the tables of docs/verdict-quality.md from those lines, and runs
nothing.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from benchmarks.page import VERDICTS
from benchmarks.verdict_quality import calibration
from benchmarks.verdict_quality.bench import Bench
from benchmarks.verdict_quality.plan import PLAN, Slowed, Task, declared_digest, load_plan, plan_digest
from benchmarks.verdict_quality.results import RESULTS, Line, append, left, read, results_path
from benchmarks.verdict_quality.services import ROOT, Images, Workspace, require_engine, suite_of
from benchmarks.verdict_quality.table import tables
from benchmarks.verdict_quality.time_left import clock, seconds_for
from harness import __version__
from harness.cli.signals import interruptible
from harness.config.suite import load_suite
from harness.environment import capture
from harness.errors import HarnessError, Interrupted

GIVE_UP_AFTER = 5
"""So many errors in a row are no chance."""


def said(line: Line) -> str:
    """What a run is told by while it goes on."""
    match line:
        case {"error": error}:
            return f"error: {error}"
        case {"kind": "calibration", "amount": amount, "seen": seen}:
            return f"slowed by {amount:g}, seen {seen:+.1%}"
        case {"kind": "gate", "decision": decision}:
            return f"{decision} after {line.get('load_s', 0.0):.1f} s of load"
        case {"kind": "stock", "times_ms": times}:
            return f"p95 {times['reference']['p95']:g} and {times['candidate']['p95']:g} ms"
        case _:
            return f"p99 {line['measured_ms']['p99']} ms, truly {line['true_ms']['p99']} ms"


def run_all(bench: Bench, tasks: list[Task], console: Console, minutes: float | None) -> None:
    """Calibrate what is not, then run the tasks until they or the time are over."""
    ends = None if minutes is None else time.monotonic() + 60 * minutes
    needed = {
        slowed.key
        for scenario in bench.plan.scenarios
        if any(task.name == scenario.name for task in tasks)
        for slowed in (scenario.candidate, scenario.reference)
        if slowed is not None
    }
    steps: list[Slowed | Task] = [
        slowed
        for slowed in calibration.to_calibrate(bench.plan)
        if slowed.key in needed
        for _ in range(bench.plan.calibration.measurements - len(calibration.of(slowed, bench.lines)))
    ]
    steps += tasks
    remaining_s = seconds_for(steps, bench.plan, bench.lines)
    console.print(f"{len(steps)} runs, up to {clock(sum(remaining_s))}; results go to {bench.path}")
    errors = 0
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[left]} left"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=len(steps), left=clock(sum(remaining_s)))
        for number, step in enumerate(steps):
            if ends is not None and time.monotonic() + remaining_s[number] > ends:
                console.print("the time is over; called again, it goes on from here")
                return
            name = step.key if isinstance(step, Slowed) else f"{step.kind.value} {step.name}"
            progress.update(bar, description=name)
            line = bench.calibrate(step) if isinstance(step, Slowed) else bench.run(step)
            errors = errors + 1 if "error" in line else 0
            remaining_s = seconds_for(steps, bench.plan, bench.lines)
            left_text = clock(sum(remaining_s[number + 1 :]))
            progress.update(bar, advance=1, left=left_text)
            console.print(
                f"{number + 1}/{len(steps)} {name}: {said(line)}; {left_text} left", highlight=False
            )
            if errors and isinstance(step, Slowed):  # no run before it is known how much is slow enough
                raise SystemExit(f"verdict_quality: {name} was not measured, call again: {line['error']}")
            if errors == GIVE_UP_AFTER:
                raise SystemExit(f"verdict_quality: {errors} errors in a row, the last: {line['error']}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="verdict_quality"
    )
    parser.add_argument("--plan", type=Path, default=PLAN, help="another plan.toml")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="DIR", help="where the lines go")
    parser.add_argument("--runs", type=int, help="of each scenario at most; as planned by default")
    parser.add_argument("--minutes", type=float, help="begin no run that would end after so many")
    parser.add_argument("--only", metavar="SCENARIO", help="its runs alone")
    parser.add_argument(
        "--report",
        type=Path,
        nargs="?",
        const=Path(),
        metavar="FILE",
        help="print the tables of these results",
    )
    parser.add_argument(
        "--page", action="store_true", help="with --report: put them into docs/verdict-quality.md"
    )
    asked = parser.parse_args()
    plan = load_plan(asked.plan)
    settings = load_suite(ROOT / "gate.toml").config.latency
    assert settings is not None
    declared = declared_digest(asked.plan.read_text(encoding="utf-8"), settings.model_dump_json())
    digest = plan_digest(declared)
    if asked.report is not None:
        path = asked.report if asked.report.name else results_path(digest, asked.results)
        text = tables(plan, read(path), path.name)
        if asked.page:
            VERDICTS.publish(text)
        else:
            print(text)
        return
    names = [
        *(scenario.name for scenario in plan.scenarios),
        *(delays.name for delays in plan.accuracy.delays),
    ]
    if asked.only is not None and asked.only not in names:
        parser.error(f"--only {asked.only}: there are {', '.join(names)}")
    for scenario in plan.scenarios:  # a wrong limit is found before anything is started
        suite_of(scenario)
    console = Console(stderr=True, soft_wrap=True)
    try:
        with interruptible(), tempfile.TemporaryDirectory(prefix="verdict-quality-") as folder:
            engine = require_engine()
            console.print("building the image of this checkout")
            bench = Bench(
                plan,
                digest=digest,
                path=results_path(digest, asked.results),
                images=Images(engine),
                workspace=Workspace(_made(folder, "suites")),
                folder=_made(folder, "work"),
            )
            tasks = left(plan.tasks(), bench.lines, only=asked.only, most=asked.runs)
            _introduce(bench, declared)
            run_all(bench, tasks, console, asked.minutes)
    except (HarnessError, Interrupted) as error:
        sys.exit(f"verdict_quality: {error}")


def _made(folder: str, name: str) -> Path:
    path = Path(folder, name)
    path.mkdir()
    return path


def _introduce(bench: Bench, declared: str) -> None:
    """Say once in the results where they were made."""
    if not any(line["kind"] == "machine" for line in bench.lines):
        machine = capture(bench.images.engine, gpu=False).model_dump(mode="json")
        line = {
            "kind": "machine",
            "plan": bench.digest,
            "declared": declared,
            "harness": __version__,
            **machine,
        }
        append(bench.path, line)
        bench.lines.append(line)


if __name__ == "__main__":
    main()
