"""Reads what the candidate's manifest promises, as the candidate itself serves it."""

import json
import math
from typing import Any

from harness.checks.interface import CheckContext
from harness.checks.latency.promises import Promises
from harness.checks.latency.settings import LatencySettings
from harness.config.suite import Suite
from harness.errors import ConfigError, TargetError
from harness.http_exchange import get_document, http_client
from harness.http_request import Request
from harness.pointer import PointerError, resolve

TIMEOUT_S = 10.0
MOST_BYTES = 4 * 1024 * 1024
MOST_CHARACTERS = 200


def verify_promises(suite: Suite, settings: LatencySettings) -> None:
    """Make sure that the suite says where the manifest is served.

    Raises:
        ConfigError: It does not.
    """
    if settings.manifest is not None and suite.config.service.metadata is None:
        raise ConfigError(
            file=suite.path,
            key="latency.manifest",
            problem="there is no [service.metadata] to read promises from",
            allowed="pointers into what the path of [service.metadata] answers",
        )


def read_promises(context: CheckContext, settings: LatencySettings) -> Promises | None:
    """Ask the candidate for its manifest; None where the suite asks for no promises.

    Raises:
        TargetError: The candidate died.
    """
    metadata = context.suite.config.service.metadata
    if settings.manifest is None or metadata is None:
        return None
    pointers = settings.manifest.model_dump(exclude_none=True)
    request = Request("GET", metadata.path, context.credentials.headers(metadata.credential))
    with http_client(context.candidate.base_url) as client:
        answer = get_document(client, request, timeout_s=TIMEOUT_S, most_bytes=MOST_BYTES)
    if answer.status is None and not context.candidate.alive():
        raise TargetError("it stopped when asked for its manifest", logs=context.candidate.logs())
    problem, document = answer.problem, None
    if not problem:
        try:
            document = json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            problem = f"not JSON: {error}"
    told = context.credentials.redact(f"GET {metadata.path}: {problem}") if problem else ""
    return Promises(
        promised={name: _number(document, pointer) for name, pointer in pointers.items()},
        problem=told[:MOST_CHARACTERS],  # cut first, it may end in half a secret that nothing replaces
    )


def _number(document: Any, pointer: str) -> float | None:
    try:
        value = resolve(document, pointer)
    except PointerError:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # an integer of hundreds of digits
        return None
    return number if 0 < number < math.inf else None
