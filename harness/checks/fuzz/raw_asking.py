"""Sends one case of the raw corpus, and asks afterwards how the service is."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jsonschema_rs

from harness.checks.fuzz.raw_answer import SUCCESS, body_of, says_json
from harness.checks.fuzz.raw_judging import REFUSAL, RawResult
from harness.checks.fuzz.raw_message import Payload, Valid, as_it_is
from harness.checks.fuzz.raw_socket import Answer, exchange, stalled
from harness.checks.fuzz.settings import Expectation
from harness.http_request import Request
from harness.openapi.load import parse_json
from harness.reproduce import curl, redact_bytes, redacted, replay

MOST_REQUEST_BYTES = 1024
MOST_REDACTED_BYTES = 64 * 1024
MOST_ANSWER_CHARACTERS = 1024
MOST_PROBLEM_CHARACTERS = 300
MOST_CURL_BODY_BYTES = 4096
MOST_PACKED_BYTES = 2 * 1024 * 1024
MOST_COMMAND_CHARACTERS = 64 * 1024
ASKED_BESIDE_STALLED = 3
"""A proxy may hand over the first before those that stall: connections made at once come in any order."""
BESIDE_STALLED_PAUSE_S = 0.05


@dataclass(frozen=True)
class RawClient:
    """Asks one service.

    Attributes:
        valid: The valid request.
        ready: Path and status that say the service is ready.
        timeout_s: Of each answer.
        redact: Replaces secrets.
        refusal: What is wrong about the body of a refusal; None where the suite does not declare one.
    """

    base_url: str
    valid: Valid
    ready: tuple[str, int]
    timeout_s: float
    redact: Callable[[str], str]
    refusal: Callable[[bytes], str] | None = None

    def ask(
        self, case: str, expect: Expectation, statuses: frozenset[int] | tuple[int, ...], payload: Payload
    ) -> RawResult:
        """Send ``payload``, then the valid request, then look whether the service is ready."""
        answer, recovery = self._stalled(payload) if payload.senders else self._sent(payload)
        path, ready_status = self.ready
        ready = exchange(
            self.base_url, as_it_is(replace(self.valid, request=Request("GET", path))), self.timeout_s
        )
        sent = b"".join(payload.parts) if payload.size_bytes <= MOST_REDACTED_BYTES else payload.parts[0]
        judged = self.refusal is not None and answer.status in REFUSAL
        return RawResult(
            case=case,
            expect=expect,
            statuses=tuple(sorted(statuses)),
            status=answer.status,
            ended=answer.in_time,
            answer_ms=answer.milliseconds,
            answer=self.redact(answer.content.decode("utf-8", "replace"))[:MOST_ANSWER_CHARACTERS],
            refusal=self.refusal(body_of(answer.content)) if judged and self.refusal is not None else None,
            says_json=says_json(answer.content),
            request=redact_bytes(sent[:MOST_REDACTED_BYTES], self.redact)[:MOST_REQUEST_BYTES],
            request_bytes=payload.size_bytes,
            recovery_status=recovery.status if recovery.in_time else None,
            recovery_ms=recovery.milliseconds,
            ready=ready.in_time and ready.status == ready_status,
            reproduce=self._command(payload),
        )

    def _sent(self, payload: Payload) -> tuple[Answer, Answer]:
        answer = exchange(self.base_url, payload, self.timeout_s)
        for _ in range(payload.times - 1):
            if answer.status not in REFUSAL or not answer.in_time:
                break
            answer = exchange(self.base_url, payload, self.timeout_s)
        return answer, self._valid()

    def _stalled(self, payload: Payload) -> tuple[Answer, Answer]:
        """While the senders wait, another client asks; the worst of its answers counts."""
        with stalled(self.base_url, payload, self.timeout_s) as finish:
            recovery = self._valid()
            for _ in range(ASKED_BESIDE_STALLED - 1):
                if not recovery.in_time or recovery.status not in SUCCESS:
                    break
                time.sleep(BESIDE_STALLED_PAUSE_S)
                recovery = max(recovery, self._valid(), key=_badness)
            answers = finish()
        worst = max(answers, key=_badness)
        return worst, recovery

    def _valid(self) -> Answer:
        return exchange(self.base_url, as_it_is(self.valid), self.timeout_s)

    def _command(self, payload: Payload) -> str:
        plain = payload.plain
        if plain is not None and len(plain.body or b"") <= MOST_CURL_BODY_BYTES:
            return curl(redacted(plain, self.redact), self.base_url)
        if payload.size_bytes > MOST_PACKED_BYTES:
            return ""
        parts = [redact_bytes(part, self.redact) for part in payload.parts]
        command = replay(parts, self.base_url, half_close=payload.half_close)
        return command if len(command) <= MOST_COMMAND_CHARACTERS else ""


def _badness(answer: Answer) -> tuple[bool, bool, float]:
    return not answer.in_time, answer.status not in SUCCESS, answer.milliseconds


def refusal_problem(document: dict[str, Any], pointer: str) -> Callable[[bytes], str]:
    """Holds the body of a refusal against a schema of the contract.

    Args:
        document: The OpenAPI document.
        pointer: To the schema in it (``#/components/schemas/Error``).

    Raises:
        ValueError: there is no schema, or it is none.
    """
    schema = {"components": document.get("components", {}), "$ref": pointer}
    validator = jsonschema_rs.Draft202012Validator(schema, retriever=_nothing_outside)

    def found(body: bytes) -> str:
        try:
            error = next(iter(validator.iter_errors(parse_json(body))), None)
        except ValueError:
            return "it is not JSON, or nested too deep"
        return "" if error is None else error.message[:MOST_PROBLEM_CHARACTERS]

    return found


def _nothing_outside(reference: str) -> Any:
    raise ValueError(f"{reference} is outside the contract")
