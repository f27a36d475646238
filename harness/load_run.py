"""The suite's load alone: what it asks and whom, without checks and without a verdict."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.checks.interface import CheckContext
from harness.checks.latency.planning import asked_of, verify_requests
from harness.checks.latency.settings import LatencySettings
from harness.config.suite import Suite
from harness.environment import split_cores
from harness.errors import ConfigError, UsageError
from harness.events import Emit
from harness.load import Arrival, LoadPlan, Side
from harness.preparation import prepare
from harness.targets.launch import URL
from harness.targets.url import require_plain

MOST_REQUESTS = 20_000_000
"""Each takes some 50 bytes of the generator's memory while the load runs."""


@dataclass(frozen=True, kw_only=True)
class LoadRequest:
    """What the user asked for.

    Attributes:
        target: Image, URL or folder; None is the suite's own service.
        reference: A second one, to which each request goes too; None is none.
        gpu: Whether targets get the machine's GPUs.
        rate_per_s: Arrivals a second at each; None as the suite declares.
        arrival: Their spacing; None as the suite declares.
        duration_s: How long requests are sent.
        seed: Of schedule and payloads.
    """

    target: str | None
    reference: str | None
    gpu: bool
    rate_per_s: float | None
    arrival: Arrival | None
    duration_s: float
    seed: int


def latency_settings(suite: Suite) -> LatencySettings:
    """The section that says what is asked, with its inputs read.

    Raises:
        ConfigError: There is none, or the requests it describes cannot be made.
    """
    settings = suite.config.latency
    if settings is None:
        raise ConfigError(
            file=suite.path,
            key="latency",
            problem="section is missing",
            allowed="a section that says what is asked, and at which rate",
        )
    verify_requests(suite, settings)
    return settings


@contextmanager
def started(
    suite: Suite, request: LoadRequest, environ: Mapping[str, str], emit: Emit, folder: Path
) -> Iterator[CheckContext]:
    """Start what the user named, on cores apart from the generator's, and remove it at the end.

    Raises:
        UsageError, ConfigError, InfrastructureError, TargetError: It cannot be had or does not get ready.
    """
    named = [request.target] if request.reference is None else [request.target, request.reference]
    for name in named:
        if name is not None and URL.match(name):
            require_plain(name)
    if request.gpu and suite.config.service.gpu is None:
        raise UsageError("--device gpu: the suite has no [service.gpu]", fix="declare it, or leave it out")
    prepared = prepare(suite, *named, gpu=request.gpu, environ=environ, emit=emit)
    launches = [prepared.launcher.resolve(name) for name in named]
    cpuset, generator_cpus = split_cores()
    with ExitStack() as running:
        endpoints = [running.enter_context(launch.start(cpuset)) for launch in launches]
        yield CheckContext(
            candidate=endpoints[0],
            reference=endpoints[1] if len(endpoints) > 1 else None,
            suite=suite,
            credentials=prepared.credentials,
            seed=request.seed,
            folder=folder,
            generator_cpus=generator_cpus,
        )


def load_plan(context: CheckContext, settings: LatencySettings, request: LoadRequest) -> LoadPlan:
    """The load as one block, so that nothing interrupts the arrivals.

    Raises:
        UsageError: It has no arrival, or too many.
    """
    sides = [Side(name="target", base_url=context.candidate.load_url)]
    if context.reference is not None:
        sides.insert(0, Side(name="reference", base_url=context.reference.load_url))
    rate_per_s = request.rate_per_s or settings.rate_per_s
    arrivals = round(rate_per_s * request.duration_s)
    if not 1 <= arrivals * len(sides) <= MOST_REQUESTS:
        raise UsageError(
            f"{rate_per_s:g} requests/s for {request.duration_s:g} s are {arrivals * len(sides)} requests",
            fix=f"--rate and --duration for 1 to {MOST_REQUESTS}",
        )
    return LoadPlan(
        sides=tuple(sides),
        payloads=asked_of(context, settings).payloads,
        rate_per_s=rate_per_s,
        arrival=request.arrival or settings.arrival,
        block_arrivals=arrivals,
        seed=request.seed,
        timeout_s=settings.timeout_s,
        warmup_requests=settings.warmup_requests,
        concurrency=settings.connections,
        cpu_affinity=context.generator_cpus,
    )


def new_folder(out: Path | None) -> Path:
    """The folder for the samples, made; by default one of its own under ``loads``.

    Raises:
        UsageError: It cannot be made, or holds something.
    """
    folder = out or Path("loads") / datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        empty = not any(folder.iterdir())
    except OSError as error:
        raise UsageError(f"--out {folder}: {error.strerror}", fix="name a folder that can be made") from error
    if not empty:
        raise UsageError(f"--out {folder}: is not empty", fix="name a new folder")
    return folder
