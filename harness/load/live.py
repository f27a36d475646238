"""What has ended so far of a load that runs: told to Locust, told to a master, kept for exact percentiles."""

from collections.abc import Callable
from typing import Any

import numpy as np
from locust.env import Environment
from numpy.typing import NDArray

from harness.load.plan import LoadPlan
from harness.load.recorder import Answered, OnEnd, Recorder
from harness.load.samples import MS, RequestOutcome
from harness.load.summary import Figures, by_name, request_name, summarise

Part = Callable[[], Answered]
Told = tuple[Recorder, NDArray[np.bool_]]
TOTAL = ("", "Aggregated")


class RequestFailed(Exception):  # noqa: N818 - Locust shows the name, and it is the request's failure
    """What Locust lists as an error."""


def reporter(environment: Environment, plan: LoadPlan) -> OnEnd:
    """Return what tells Locust of each request that ends, with its time from the intended send."""
    fire: Any = environment.events.request.fire  # Locust gives it no types

    def report(recorder: Recorder, row: int) -> None:
        payload, outcome = int(recorder.schedule.payload[row]), RequestOutcome(int(recorder.outcome[row]))
        failure = RequestFailed(f"{outcome.name.lower()}, status {recorder.status[row]}")
        fire(
            request_type=plan.payloads[payload].method,
            name=request_name(plan, int(recorder.schedule.side[row]), payload),
            response_time=MS * float(recorder.done_s[row] - recorder.intended_s[row]),
            response_length=int(recorder.body_bytes[row]),
            exception=None if outcome is RequestOutcome.OK else failure,
            context={},
        )

    return report


class Live:
    """The requests that have ended, for exact percentiles."""

    def __init__(self, plan: LoadPlan) -> None:
        self._plan = plan
        self._parts: list[Part] = []

    def follow(self, recorder: Recorder) -> None:
        """Keep the requests of a block that begins."""
        self._parts.append(recorder.answered)

    def add(self, answered: Answered) -> None:
        """Keep requests that another generator has sent."""
        self._parts.append(lambda: answered)

    def clear(self) -> None:
        """Forget all."""
        self._parts.clear()

    def figures(self) -> dict[tuple[str, str], Figures]:
        """The figures by (method, name), and of all as `TOTAL`; empty before the first answer."""
        parts = [part() for part in self._parts]
        if not sum(part.outcome.size for part in parts):
            return {}
        side, payload, response_s, outcome = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("side", "payload", "response_s", "outcome")
        )
        named = {
            label: summarise(response_s[rows], outcome[rows])
            for label, rows in by_name(self._plan, side, payload)
        }
        return {**named, TOTAL: summarise(response_s, outcome)}


class Outbox:
    """The requests that have ended and that the master does not know of yet."""

    def __init__(self) -> None:
        self._open: list[Told] = []

    def follow(self, recorder: Recorder) -> None:
        """Take in the requests of a block that begins."""
        self._open.append((recorder, np.zeros(recorder.outcome.size, dtype=np.bool_)))

    def take(self) -> list[Answered]:
        """Return them, once."""
        taken = []
        for recorder, told in self._open:
            fresh = (recorder.outcome != RequestOutcome.GENERATOR) & ~told
            told[fresh] = True
            if fresh.any():
                taken.append(recorder.answered(fresh))
        self._open = [(recorder, told) for recorder, told in self._open if not told.all()]
        return taken
