"""What master and workers tell each other by Locust's custom messages, beside Locust's own.

A worker says `HELLO` once it can take messages, with the token if the master has started it; one that is not
wanted gets `REFUSED` with the reason, and has to end. The others are sent `PLAN` and answer `READY`; then
come `CLOCK` questions and answers, and `BLOCK`, which a worker answers with its samples in `ROWS` (each
acknowledged by `MORE` before the next is sent), and `DONE`, or `FAILED`. While the load runs, `LIVE` tells a
master with a web UI what has been answered.
"""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.load.recorder import Answered
from harness.load.samples import Samples

HELLO, REFUSED, PLAN, READY, CLOCK, BLOCK = (
    "harness_hello",
    "harness_refused",
    "harness_plan",
    "harness_ready",
    "harness_clock",
    "harness_block",
)
ROWS, MORE, DONE, FAILED, LIVE = (
    "harness_rows",
    "harness_more",
    "harness_done",
    "harness_failed",
    "harness_live",
)
FROM_WORKER = (HELLO, READY, CLOCK, ROWS, DONE, FAILED, LIVE)

OPTIONS = Namespace(
    web_base_path="",
    stop_timeout=0.0,
    num_users=None,
    spawn_rate=None,
    run_time=None,
    stats_history_enabled=False,
    enable_rebalancing=False,
    headless=False,
)
"""Of master and workers: Locust would else read its own configuration files and environment variables."""

CHUNK_ROWS = 10_000
"""About 400 KiB a message."""

ROW_TYPES: dict[str, type[np.generic]] = {
    "side": np.int8,
    "block": np.int32,
    "payload": np.int32,
    "intended_s": np.float64,
    "sent_s": np.float64,
    "done_s": np.float64,
    "status": np.int16,
    "outcome": np.int8,
    "body_bytes": np.int32,
}
LIVE_TYPES: dict[str, type[np.generic]] = {
    "side": np.int8,
    "payload": np.int32,
    "response_s": np.float64,
    "outcome": np.int8,
}


class WireError(Exception):
    """A message is not what it should be."""


def chunks(samples: Samples) -> Iterator[dict[str, Any]]:
    """Give the rows of samples in pieces that a message can carry."""
    for first in range(0, samples.side.size, CHUNK_ROWS):
        rows = slice(first, first + CHUNK_ROWS)
        yield {"first": first, **{name: getattr(samples, name)[rows].tobytes() for name in ROW_TYPES}}


def columns(message: dict[str, Any], types: dict[str, type[np.generic]]) -> dict[str, NDArray[Any]]:
    """Return a message's columns.

    Raises:
        WireError: One is missing or of another length than the others.
    """
    try:
        read = {name: np.frombuffer(message[name], dtype=kind) for name, kind in types.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise WireError(f"no such columns: {error}") from error
    if len({column.size for column in read.values()}) != 1:
        raise WireError("columns of different lengths")
    return read


def join_rows(messages: Sequence[dict[str, Any]]) -> dict[str, NDArray[Any]]:
    """Return the rows of all pieces, in order.

    Raises:
        WireError: A piece is missing or comes twice.
    """
    parts: list[dict[str, NDArray[Any]]] = []
    rows = 0
    for message in messages:
        if message.get("first") != rows:
            raise WireError(f"rows from {message.get('first')} on where {rows} were expected")
        parts.append(columns(message, ROW_TYPES))
        rows += parts[-1]["side"].size
    return {
        name: np.concatenate([np.empty(0, dtype=kind), *(part[name] for part in parts)])
        for name, kind in ROW_TYPES.items()
    }


def live_message(answered: Answered) -> dict[str, Any]:
    """Pack what a web UI shows."""
    return {name: getattr(answered, name).tobytes() for name in LIVE_TYPES}


def live_answered(message: dict[str, Any]) -> Answered:
    """Unpack it.

    Raises:
        WireError: It is something else.
    """
    return Answered(**columns(message, LIVE_TYPES))
