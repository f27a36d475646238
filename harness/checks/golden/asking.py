"""Sends the requests of a golden set: over kept-alive connections, bounded in time and size, in order."""

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import httpx

from harness.checks.golden.wire import cut, parse_json
from harness.checks.patience import MOST_UNANSWERED
from harness.errors import TargetError
from harness.http_exchange import Answer as Received
from harness.http_exchange import exchange, http_client
from harness.http_request import Request
from harness.targets.dying import dies
from harness.targets.interface import Endpoint

AHEAD = 4
"""Requests made ready for each connection: enough that none waits, and few in memory."""

Q = TypeVar("Q")


class AskingSettings(Protocol):
    """How requests are sent; see :class:`harness.checks.golden.settings.GoldenSettings`."""

    @property
    def connections(self) -> int:
        """Requests at a time."""
        ...

    @property
    def timeout_s(self) -> float:
        """For one request."""
        ...

    @property
    def most_answer_bytes(self) -> int:
        """Of an answer's body."""
        ...

    @property
    def budget_s(self) -> float:
        """For all requests."""
        ...


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


def ask_all(
    endpoint: Endpoint, questions: Iterable[tuple[Q, Request]], settings: AskingSettings
) -> Iterator[tuple[Q, Request, Answer]]:
    """Yield each question, its request and the answer to it, in the order of the questions.

    Questions are taken as they are asked, so that a set of any size is. Redirects are not followed and
    nothing is asked twice. After 8 requests without an answer the rest is not asked: a service that hangs
    would otherwise hold the run for hours. Requests that the budget leaves no time for yield nothing.

    Raises:
        TargetError: when the service died.
    """
    waiting = deque[tuple[Q, Request, Future[Received | str | None]]]()
    with (
        http_client(endpoint.base_url, connections=settings.connections) as client,
        ThreadPoolExecutor(settings.connections, thread_name_prefix="golden") as pool,
    ):
        asker = _Asker(settings)  # with the connections ready: the budget is that of the requests
        for asked, request in questions:
            waiting.append((asked, request, pool.submit(asker.ask, client, request)))
            if len(waiting) > AHEAD * settings.connections:
                yield from _answered(waiting, settings, at_most=1)
            if asker.out_of_time:
                break
        yield from _answered(waiting, settings, at_most=len(waiting))
    if asker.unanswered and dies(endpoint):
        raise TargetError("it stopped during the golden requests", logs=endpoint.logs())


def _answered(
    waiting: deque[tuple[Q, Request, Future[Received | str | None]]],
    settings: AskingSettings,
    *,
    at_most: int,
) -> Iterator[tuple[Q, Request, Answer]]:
    """The answers that were waited for longest, up to one that the budget left no time for."""
    for _ in range(at_most):
        asked, request, future = waiting.popleft()
        received = future.result()
        if received is None:
            waiting.clear()
            return
        yield asked, request, _read(received, settings.most_answer_bytes)


def _read(received: Received | str, most_bytes: int) -> Answer:
    """What was received, as JSON; one at a time, since parsed it may take thirty times its bytes."""
    if isinstance(received, str):
        return Answer(answered=False, problem=received)
    status = received.status
    if not httpx.codes.is_success(status):
        text = received.body.decode("utf-8", "backslashreplace")
        return Answer(answered=True, problem=cut(f"HTTP {status}: {text}", 300))
    if received.truncated:
        return Answer(answered=True, problem=f"HTTP {status} with more than {most_bytes} bytes")
    try:
        return Answer(answered=True, document=parse_json(received.body))
    except ValueError as error:
        return Answer(answered=True, problem=cut(f"HTTP {status}, but not JSON: {error}"))


class _Asker:
    """Asks from several threads, and stops asking a service that does not answer."""

    def __init__(self, settings: AskingSettings) -> None:
        self._timeout_s = settings.timeout_s
        self._most_bytes = settings.most_answer_bytes
        self._give_up = time.monotonic() + settings.budget_s
        self._lock = threading.Lock()
        self.unanswered = 0

    @property
    def out_of_time(self) -> bool:
        return time.monotonic() > self._give_up

    def ask(self, client: httpx.Client, request: Request) -> Received | str | None:
        """The answer, or why there is none; None where no time was left to ask."""
        if self.out_of_time:
            return None
        if self.unanswered >= MOST_UNANSWERED:
            return f"not asked: {MOST_UNANSWERED} requests had no answer"
        try:
            return exchange(client, request, timeout_s=self._timeout_s, most_bytes=self._most_bytes)
        except httpx.HTTPError as error:
            with self._lock:
                self.unanswered += 1
            return cut(f"no answer: {type(error).__name__}: {error}")
