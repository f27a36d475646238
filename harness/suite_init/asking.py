"""Asks a service each body twice, one after the other, and keeps what it answers both times."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from harness.checks.golden.wire import parse_json
from harness.credentials import Credentials
from harness.errors import AnswerError, TargetError
from harness.http_exchange import Answer, exchange, http_client
from harness.http_request import RequestTemplate, build
from harness.reports.text import one_line
from harness.targets.interface import Endpoint

TIMEOUT_S = 30.0
MOST_ANSWER_BYTES = 1024 * 1024
BUDGET_S = 60.0
"""For the first round: a slow service is asked fewer."""
WHOLE_S = 3 * BUDGET_S
"""For both rounds: after it nothing more is asked, however little was answered."""
LEAST_CASES = 2
MOST_UNANSWERED = 3


@dataclass(frozen=True)
class Kept:
    """A body that was answered with success both times."""

    body: Any
    first: Any
    second: Any


@dataclass
class Answers:
    """What came of it.

    Attributes:
        asked: How many different bodies.
        times_ms: Of each successful request but the very first, from sending to the end of the answer.
        refusals: What the others were answered, and how many of them.
        status: Of all that are kept.
    """

    kept: list[Kept] = field(default_factory=list)
    asked: int = 0
    times_ms: list[float] = field(default_factory=list)
    refusals: dict[str, int] = field(default_factory=dict)
    status: int = 200


def ask(
    endpoint: Endpoint,
    template: RequestTemplate,
    bodies: Sequence[Any],
    credentials: Credentials,
    progress: Callable[[int, int], None],
) -> Answers:
    """Ask all bodies, then once more those that were answered.

    Raises:
        AnswerError: none was, or an answer holds a secret.
        TargetError: the service died.
    """
    result = Answers()
    first: list[tuple[Any, Any]] = []
    with http_client(endpoint.base_url) as client:
        asker = _Asker(client, template, credentials, result)
        started = time.monotonic()
        for done, body in enumerate(bodies, start=1):
            result.asked = done
            if (answered := asker.ask(body)) is not None:
                first.append((body, answered[0]))
            progress(done, 2 * len(bodies))
            took_s = time.monotonic() - started
            enough = len(first) >= LEAST_CASES and took_s > BUDGET_S
            if enough or took_s > WHOLE_S or asker.unanswered >= MOST_UNANSWERED:
                break
        for done, (body, before) in enumerate(first, start=len(bodies) + 1):
            if (answered := asker.ask(body)) is not None:
                result.kept.append(Kept(body, before, answered[0]))
            progress(done, 2 * len(bodies))
            if time.monotonic() - started > WHOLE_S:
                break
    if not endpoint.alive():
        raise TargetError("it stopped when it was asked", logs=endpoint.logs())
    if not result.kept:
        refusal, count = max(result.refusals.items(), key=lambda item: item[1])
        raise AnswerError(
            f"POST {template.path}: none of {result.asked} requests was answered; {count} of them: {refusal}",
            fix="--request FILE with a body that it takes; --header for a service that asks for a credential",
        )
    return result


class _RefusedError(Exception):
    """Not an answer to keep; says why."""


class _Asker:
    def __init__(
        self, client: httpx.Client, template: RequestTemplate, credentials: Credentials, result: Answers
    ) -> None:
        self._client = client
        self._template = template
        self._credentials = credentials
        self._result = result
        self._warm = False
        self.unanswered = 0

    def ask(self, body: Any) -> tuple[Any] | None:
        """The answer, in a tuple as it may be null; None where there is none that can be kept."""
        started = time.perf_counter()
        try:
            answer = self._answer(body)
            took_ms = (time.perf_counter() - started) * 1000
            document = self._document(answer)
        except _RefusedError as refused:
            shown = one_line(self._credentials.redact(str(refused)), 300)
            self._result.refusals[shown] = self._result.refusals.get(shown, 0) + 1
            return None
        if self._warm:
            self._result.times_ms.append(took_ms)
        else:
            self._warm, self._result.status = True, answer.status
        return (document,)

    def _answer(self, body: Any) -> Answer:
        headers = self._credentials.headers(self._template.credential)
        request = build(self._template, {"input": body}, headers)
        try:
            return exchange(self._client, request, timeout_s=TIMEOUT_S, most_bytes=MOST_ANSWER_BYTES)
        except httpx.HTTPError as error:
            self.unanswered += 1
            raise _RefusedError(f"no answer: {type(error).__name__}: {error}") from error

    def _document(self, answer: Answer) -> Any:
        text = answer.body.decode("utf-8", "backslashreplace")
        if not httpx.codes.is_success(answer.status):
            raise _RefusedError(f"HTTP {answer.status}: {text}")
        if self._warm and answer.status != self._result.status:
            raise _RefusedError(f"HTTP {answer.status}, others HTTP {self._result.status}")
        if answer.truncated:
            raise _RefusedError(f"HTTP {answer.status} with more than {MOST_ANSWER_BYTES} bytes")
        if self._credentials.stand_in(text):
            raise AnswerError(f"POST {self._template.path}: an answer holds a secret that it was asked with")
        try:
            return parse_json(answer.body)
        except ValueError as error:
            raise _RefusedError(f"HTTP {answer.status}, but not JSON: {error}") from error
