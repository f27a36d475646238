"""Sends the requests of a golden set: over kept-alive connections, bounded in time and size, in order."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx

from harness.checks.golden.settings import GoldenSettings
from harness.checks.golden.wire import cut, parse_json
from harness.errors import TargetError
from harness.http_exchange import exchange, http_client
from harness.http_request import Request
from harness.targets.interface import Endpoint

MOST_UNANSWERED = 8
DEATH_SHOWS_S = 1.0


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        answered: Whether an HTTP response came at all.
        document: The JSON of a 2xx answer.
        problem: Why there is no such document; empty when there is.
    """

    answered: bool
    document: Any = None
    problem: str = ""


def ask_all(endpoint: Endpoint, requests: Sequence[Request], settings: GoldenSettings) -> Iterator[Answer]:
    """Yield the answer to each request, in the order of the requests.

    Redirects are not followed and nothing is asked twice. After 8 requests without an answer the rest is
    not asked: a service that hangs would otherwise hold the run for hours. Requests that the budget leaves
    no time for yield nothing.

    Raises:
        TargetError: when the service died.
    """
    asker = _Asker(settings)
    with (
        http_client(endpoint.base_url, connections=settings.connections) as client,
        ThreadPoolExecutor(settings.connections, thread_name_prefix="golden") as pool,
    ):
        for answer in pool.map(lambda request: asker.ask(client, request), requests):
            if answer is None:
                break
            yield answer
    if asker.unanswered and _dies(endpoint):
        raise TargetError("it stopped during the golden requests", logs=endpoint.logs())


def _dies(endpoint: Endpoint) -> bool:
    """A process that just closed its sockets may still count as alive for a moment."""
    give_up = time.monotonic() + DEATH_SHOWS_S
    while endpoint.alive():
        if time.monotonic() >= give_up:
            return False
        time.sleep(0.1)
    return True


class _Asker:
    """Asks from several threads, and stops asking a service that does not answer."""

    def __init__(self, settings: GoldenSettings) -> None:
        self._timeout_s = settings.timeout_s
        self._most_bytes = settings.most_answer_bytes
        self._give_up = time.monotonic() + settings.budget_s
        self._lock = threading.Lock()
        self.unanswered = 0

    def ask(self, client: httpx.Client, request: Request) -> Answer | None:
        return None if time.monotonic() > self._give_up else self._asked(client, request)

    def _asked(self, client: httpx.Client, request: Request) -> Answer:
        if self.unanswered >= MOST_UNANSWERED:
            return Answer(answered=False, problem=f"not asked: {MOST_UNANSWERED} requests had no answer")
        try:
            answer = exchange(client, request, timeout_s=self._timeout_s, most_bytes=self._most_bytes)
        except httpx.HTTPError as error:
            with self._lock:
                self.unanswered += 1
            return Answer(answered=False, problem=cut(f"no answer: {type(error).__name__}: {error}"))
        status = answer.status
        if not httpx.codes.is_success(status):
            text = answer.body.decode("utf-8", "backslashreplace")
            return Answer(answered=True, problem=cut(f"HTTP {status}: {text}", 300))
        if answer.truncated:
            return Answer(answered=True, problem=f"HTTP {status} with more than {self._most_bytes} bytes")
        try:
            return Answer(answered=True, document=parse_json(answer.body))
        except ValueError as error:
            return Answer(answered=True, problem=cut(f"HTTP {status}, but not JSON: {error}"))
