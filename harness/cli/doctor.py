"""``harness doctor``: what this machine can and cannot gate, and the fix."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from harness.checks.table import CHECKS
from harness.cli.diagnosis import Diagnosis, State, held
from harness.cli.doctor_gpu import diagnose_access, diagnose_gpus
from harness.cli.doctor_machine import diagnose_machine
from harness.cli.doctor_packages import diagnose_packages
from harness.cli.run import Device
from harness.config.suite import load_suite
from harness.errors import ExitCode, HarnessError, InfrastructureError
from harness.plan import verified_plan
from harness.targets.engine import INSTALL, find_engine

SUITE = "suite"
GATE_TOML = Path("gate.toml")
OLDEST_PYTHON = (3, 11)


def doctor(
    config: Annotated[Path, typer.Option(metavar="FILE", help="The suite to check too.")] = GATE_TOML,
    device: Annotated[Device, typer.Option(help="What the gate is to run on.")] = Device.CPU,
) -> None:
    """Check the machine and the suite, and say the fix for what is wrong.

    Exits 0 when a gate can run, 2 when the suite is at fault, 5 when the machine is.

    Example: harness doctor

    Example: harness doctor --config my-suite/gate.toml --device gpu
    """
    console = Console(stderr=True)
    failed = []
    for diagnosis in diagnose(config, gpu=device is Device.GPU):
        style = {State.OK: "green", State.WARN: "yellow", State.FAIL: "bold red"}[diagnosis.state]
        line = f"[{style}]{diagnosis.state.value:<5}[/] {diagnosis.what:<10} {escape(diagnosis.seen)}"
        console.print(line, highlight=False, soft_wrap=True)
        if diagnosis.fix:
            console.print(f"      fix: {escape(diagnosis.fix)}", highlight=False, soft_wrap=True)
        if diagnosis.state is State.FAIL:
            failed.append(diagnosis.what)
    if not failed:
        raise typer.Exit(ExitCode.PROMOTE)
    raise typer.Exit(ExitCode.USAGE if failed == [SUITE] else ExitCode.INFRASTRUCTURE)


def diagnose(config: Path, *, gpu: bool) -> Iterator[Diagnosis]:
    """Look at everything a gate needs, one after the other."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield held(
        "python", sys.version_info[:2] >= OLDEST_PYTHON, version, "use Python 3.11 or newer", State.FAIL
    )
    yield diagnose_packages()
    yield from _engine(gpu=gpu)
    if gpu:
        yield from diagnose_gpus()
    else:
        there = "there is one" if Path("/dev/nvidiactl").exists() else "none"
        yield Diagnosis("gpu", State.OK, f"{there}: not needed, `harness doctor --device gpu` looks closer")
    yield from diagnose_machine()
    yield _suite(config)


def _engine(*, gpu: bool) -> Iterator[Diagnosis]:
    try:
        engine = find_engine(Path.cwd(), os.environ)
    except InfrastructureError as error:
        yield Diagnosis("engine", State.FAIL, str(error), error.fix)
        return
    if engine is None:
        seen = "none answers: only the suite's own service, as a local process, or a URL can be gated"
        yield Diagnosis("engine", State.FAIL if gpu else State.WARN, seen, INSTALL)
        return
    yield Diagnosis("engine", State.OK, f"{engine.version} at {engine.host}")
    if gpu:
        yield diagnose_access(engine.client.info())


def _suite(config: Path) -> Diagnosis:
    if config == GATE_TOML and not config.exists():
        fix = "`harness init --candidate IMAGE|URL` makes one; --config names one elsewhere"
        return Diagnosis(SUITE, State.WARN, f"there is no {config} here", fix)
    try:
        suite = load_suite(config)
        plan = verified_plan(suite, CHECKS)
    except HarnessError as error:
        return Diagnosis(SUITE, State.FAIL, str(error), error.fix)
    if plan.not_declared:
        silent = ", ".join(family.value for family in plan.not_declared)
        seen = f"{config}: required, but not declared: {silent}; the verdict will be inconclusive"
        return Diagnosis(SUITE, State.WARN, seen, "declare them, or leave them out of [policy] required")
    return Diagnosis(SUITE, State.OK, f"{config}: {suite.config.name}, with all the files it names")
