"""Asks both services the same requests and reads their predictions."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.checks.drift.evidence import Answered, Value
from harness.checks.drift.settings import DriftSettings, PredictionSettings, SliceSettings
from harness.checks.golden.asking import Answer, ask_all
from harness.checks.golden.golden_set import load_golden_set, open_golden_set
from harness.checks.golden.payloads import single_requests
from harness.checks.golden.settings import GoldenSettings
from harness.checks.golden.wire import json_type
from harness.config.suite import Suite
from harness.credentials import Credentials
from harness.errors import ConfigError
from harness.http_request import Request
from harness.pointer import PointerError, resolve
from harness.targets.interface import Endpoint
from harness.traffic.recording import read_recording

MOST_CHARACTERS = 200
LARGEST = 1e300


@dataclass(frozen=True)
class Traffic:
    """What both services are asked.

    Attributes:
        source: Where it comes from.
        available: How many requests there are in all.
        requests: Those to ask, each with its name.
    """

    source: str
    available: int
    requests: tuple[tuple[str, Request], ...]


def verify_traffic(suite: Suite, settings: DriftSettings) -> None:
    """Read all that may be asked.

    Raises:
        ConfigError: when there is nothing to ask, or a file is wrong.
    """
    if settings.traffic is not None:
        _count(suite.resolve(settings.traffic, key="drift.traffic"))
    else:
        load_golden_set(suite, _golden_settings(suite))


def load_traffic(suite: Suite, settings: DriftSettings, credentials: Credentials, seed: int) -> Traffic:
    """The recorded requests, or the golden cases; of too many a seeded sample.

    Raises:
        ConfigError: as :func:`verify_traffic`.
    """
    if settings.traffic is None:
        golden = _golden_settings(suite)
        cases = open_golden_set(suite, golden).cases
        chosen = _sample(len(cases), settings.most_requests, seed)
        asked = single_requests(suite, golden, cases, credentials)
        requests = tuple((case.id, request) for at, (case, request) in enumerate(asked) if at in chosen)
        return Traffic("the golden cases", len(cases), requests)
    path = suite.resolve(settings.traffic, key="drift.traffic")
    headers = credentials.headers(settings.credential)
    available = _count(path)
    chosen = _sample(available, settings.most_requests, seed)
    # Read twice, so that of a long recording only the sample is ever held.
    requests = tuple(
        (f"line {at + 1}", recorded.request(headers))
        for at, recorded in enumerate(read_recording(path))
        if at in chosen
    )
    return Traffic(settings.traffic, available, requests)


def _count(recording: Path) -> int:
    available = sum(1 for _ in read_recording(recording))
    if not available:
        raise ConfigError(file=recording, problem="has no request", allowed="at least one line")
    return available


def _sample(available: int, most: int, seed: int) -> frozenset[int]:
    return frozenset(random.Random(seed).sample(range(available), min(available, most)))  # noqa: S311 - no secret


def _golden_settings(suite: Suite) -> GoldenSettings:
    if suite.config.golden is None:
        raise ConfigError(
            file=suite.path,
            key="drift.traffic",
            problem="required, as there is no [golden] whose cases could be asked",
            allowed="a recording (`harness traffic record`)",
        )
    return suite.config.golden


def ask(endpoint: Endpoint, traffic: Traffic, settings: DriftSettings) -> list[Answered]:
    """What a service predicts, in the order of the requests; shorter where the budget ended first.

    Raises:
        TargetError: when it died.
    """
    answers = ask_all(endpoint, traffic.requests, settings)
    return [read(answer, settings.predictions) for _, _, answer in answers]


def read(answer: Answer, predictions: Mapping[str, PredictionSettings]) -> Answered:
    """The predictions of an answer; one that is not there or of another kind is a problem."""
    if answer.problem:
        return Answered(problem=answer.problem)
    found: dict[str, Value] = {}
    for name, prediction in predictions.items():
        try:
            value = resolve(answer.document, prediction.pointer)
        except PointerError as error:
            return Answered(problem=str(error))
        if problem := _unfit(value, prediction):
            return Answered(problem=f"{prediction.pointer}: {problem}")
        found[name] = value
    return Answered(predictions=found)


def slices_of(request: Request, slices: Mapping[str, SliceSettings]) -> dict[str, Value]:
    """The values of a request's body that put it into slices."""
    if not slices:
        return {}
    try:
        document: Any = json.loads(request.body or b"null")
    except (ValueError, RecursionError):
        return {}
    found: dict[str, Value] = {}
    for name, declared in slices.items():
        try:
            value = resolve(document, declared.pointer)
        except PointerError:
            continue
        if isinstance(value, bool | int | float | str):
            found[name] = value[:MOST_CHARACTERS] if isinstance(value, str) else value
    return found


def _unfit(value: Any, prediction: PredictionSettings) -> str:
    """Why a value is no such prediction; empty when it is."""
    if prediction.kind == "number":
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return "" if number and abs(value) <= LARGEST else f"{json_type(value)} instead of a number"
    if isinstance(value, str):
        return "" if len(value) <= MOST_CHARACTERS else f"a text of {len(value)} characters"
    return "" if isinstance(value, bool | int) else f"{json_type(value)} instead of a category"
