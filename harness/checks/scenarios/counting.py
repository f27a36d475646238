"""Reads the counters of the service before and after a step."""

import math
import time
from collections.abc import Iterable, Mapping

from harness.checks.scenarios.evidence import Exchange, Rise
from harness.checks.scenarios.scenario import Rule
from harness.checks.scenarios.sending import Sender
from harness.checks.scenarios.settings import CounterSettings
from harness.checks.telemetry.exposition import Exposition, ExpositionError
from harness.credentials import Credentials
from harness.http_request import Request

MOST_BYTES = 4 * 1024 * 1024
SETTLE_S = 3.0
OK = 200


class CounterError(Exception):
    """Why a counter cannot be read."""


class Counters:
    """The counters of one candidate, added up over its replicas.

    Args:
        settings: ``[scenarios.counters]``.
        sender: To the candidate.
        credentials: For the metrics, where they need one.
        replicas: How many to ask.
    """

    def __init__(
        self,
        settings: Mapping[str, CounterSettings],
        sender: Sender,
        credentials: Credentials,
        *,
        replicas: int = 1,
    ) -> None:
        self._settings = settings
        self._sender = sender
        self._credentials = credentials
        self._replicas = range(replicas)
        self._known: dict[str, float | None] = {}

    def before(self, names: Iterable[str]) -> None:
        """Know what the counters stand at; one that still counts earlier answers is waited for."""
        give_up = time.monotonic() + SETTLE_S
        for name in set(names) - self._known.keys():
            try:
                last, now = None, self._read(name)
                while now != last and time.monotonic() < give_up:
                    last, now = now, self._read(name)
                self._known[name] = now
            except CounterError:
                return  # it will not be read afterwards either, and that says why

    def after(self, rules: Mapping[str, Rule], *, refused: bool) -> tuple[Rise, ...]:
        """By how much each counter rose since :meth:`before`.

        Args:
            rules: What is expected of each.
            refused: Whether the step should have moved nothing: what is counted late, after it, then shows in
                the next step.
        """
        known, self._known = self._known, {}
        rises = []
        for name, rule in rules.items():
            try:
                now = self._read(name)
            except CounterError as error:
                rises.append(Rise(counter=name, rule=rule, problem=str(error)))
                continue
            before = known.get(name)
            if now is None and before is None:
                metric = self._settings[name].metric
                rises.append(Rise(counter=name, rule=rule, problem=f"there is no {metric}"))
                continue
            rises.append(Rise(counter=name, rule=rule, rose=(now or 0.0) - (before or 0.0)))
            if refused:
                self._known[name] = now
        return tuple(rises)

    def texts(self) -> dict[str, str | None]:
        """The text at each path that has a counter, as it is now; None where it can't be read."""
        texts: dict[str, str | None] = {}
        for name, counter in self._settings.items():
            try:
                texts[counter.path] = "\n".join(self._texts(name))
            except CounterError:
                texts.setdefault(counter.path, None)
        return texts

    def _read(self, name: str) -> float | None:
        """What it stands at; None where no sample of any replica has its name."""
        metric = self._settings[name].metric
        try:
            totals = [Exposition.parse(text).total(metric) for text in self._texts(name)]
        except ExpositionError as error:
            raise CounterError(str(error)) from error
        there = [total for total in totals if total is not None]
        try:
            return math.fsum(there) if there else None
        except OverflowError:  # of several replicas, each near the largest double
            return math.nan

    def _texts(self, name: str) -> list[str]:
        """What each replica exposes."""
        counter = self._settings[name]
        request = Request("GET", counter.path, self._credentials.headers(counter.credential))
        requests = [request] * len(self._replicas)
        answers = self._sender.send(requests, started_s=0.0, most_bytes=MOST_BYTES, replicas=self._replicas)
        return [_text(counter, answer) for answer in answers]


def _text(counter: CounterSettings, answer: Exchange) -> str:
    if answer.status != OK or answer.truncated:
        seen = answer.error or (
            f"more than {MOST_BYTES} bytes" if answer.truncated else f"status {answer.status}"
        )
        raise CounterError(f"GET {counter.path}: {seen}")
    return answer.body
