"""Asks a service its golden cases over and over, and keeps the envelope of its errors."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import tomlkit

from harness.checks.golden.asking import ask_all
from harness.checks.golden.batch import split
from harness.checks.golden.golden_set import Case, GoldenSet
from harness.checks.golden.payloads import batch_requests
from harness.checks.golden.settings import FLOATS, GoldenSettings
from harness.checks.golden.wire import leaves
from harness.errors import AnswerError, UsageError
from harness.golden.asking import Progress, answers, outputs_of
from harness.golden.envelope import Envelope
from harness.golden.service import Service


@dataclass(frozen=True)
class Configuration:
    """What the service ran as and how it was asked.

    Attributes:
        variant: One of ``[service.variants]``, None for the service as it is.
        batch: Cases to a request; 1 asks each in a request of its own.
    """

    device: str
    variant: str | None
    batch: int


@dataclass(frozen=True)
class Calibrated:
    """The envelope of each output under one configuration."""

    configuration: Configuration
    outputs: dict[str, Envelope]


def require_batches(settings: GoldenSettings, sizes: tuple[int, ...]) -> None:
    """A size above 1 takes a batch request.

    Raises:
        UsageError: when the suite declares none.
    """
    if settings.batch is None and any(size > 1 for size in sizes):
        raise UsageError(
            "--batch above 1: the suite declares no [golden.batch]", fix="declare it, or leave --batch at 1"
        )


def calibrate(
    service: Service, golden: GoldenSet, configuration: Configuration, runs: int, settings: GoldenSettings
) -> Calibrated:
    """Ask every case ``runs`` times.

    Raises:
        AnswerError: for an answer that is none.
        TargetError: when the service died.
    """
    envelopes = {name: Envelope() for name in settings.outputs}
    named = configuration.variant or configuration.device
    progress = service.progress(f"{named}, batch {configuration.batch}")
    total = runs * len(golden.cases)
    for run in range(runs):
        shown = partial(_progress, progress, run * len(golden.cases), total)
        for case, observed in _asked(service, settings, golden, configuration.batch, shown):
            for name, output in settings.outputs.items():
                wanted, seen = leaves(case.expected[name], output), leaves(observed[name], output)
                for pointer, value in wanted.items():
                    envelopes[name].add(value, seen[pointer])
    return Calibrated(configuration, envelopes)


def _progress(progress: Callable[[int, int], None], before: int, total: int, done: int) -> None:
    progress(before + done, total)


def _asked(
    service: Service, settings: GoldenSettings, golden: GoldenSet, size: int, progress: Progress
) -> Iterator[tuple[Case, dict[str, Any]]]:
    if size == 1 or settings.batch is None:
        yield from answers(service, settings, golden.cases, progress)
        return
    batch = settings.batch.model_copy(update={"size": size})
    unhurried = settings.model_copy(update={"budget_s": math.inf})
    questions = batch_requests(service.suite, batch, golden.cases, service.credentials)
    done = 0
    for chunk, _, answer in ask_all(service.endpoint, questions, unhurried):
        items, _ = split(answer, batch, len(chunk))
        for case, item in zip(chunk, items, strict=True):
            if item.problem:
                raise AnswerError(f"{case.id}: {service.credentials.redact(item.problem)}")
            yield case, outputs_of(case.id, item.document, settings.outputs)
        done += len(chunk)
        progress(done)


def joined(results: list[Calibrated]) -> dict[str, Envelope]:
    """The envelope over all configurations."""
    outputs: dict[str, Envelope] = {}
    for result in results:
        for name, envelope in result.outputs.items():
            outputs.setdefault(name, Envelope()).join(envelope)
    return outputs


def unmendable(results: list[Calibrated], settings: GoldenSettings) -> list[str]:
    """Outputs that were off in what no tolerance mends: text, booleans, integers, and floats not finite."""
    return [
        name
        for name, envelope in joined(results).items()
        if envelope.broken or (envelope.max_error and settings.outputs[name].dtype not in FLOATS)
    ]


def snippet(results: list[Calibrated], settings: GoldenSettings, margin: float, source: str) -> str:
    """Limits for gate.toml of the float outputs that were ever off; empty where none was.

    ``[golden.limits.outputs]``, or ``[[golden.limits.overrides]]`` for each of several devices: what one is
    off is not allowed the others.
    """
    tables = {}
    devices = dict.fromkeys(result.configuration.device for result in results)
    for device in devices:
        here = [result for result in results if result.configuration.device == device]
        of_all = f"{source} under {len(here)} configurations"
        if outputs := {
            name: {"atol": proposed.atol, "rtol": proposed.rtol, "source": of_all}
            for name, envelope in joined(here).items()
            if settings.outputs[name].dtype in FLOATS and (proposed := envelope.proposal(margin)) is not None
        }:
            tables[device] = outputs
    if not tables:
        return ""
    overrides = [{"device": device, "outputs": outputs} for device, outputs in tables.items()]
    limits = {"overrides": overrides} if len(devices) > 1 else {"outputs": overrides[0]["outputs"]}
    return tomlkit.dumps({"golden": {"limits": limits}})
