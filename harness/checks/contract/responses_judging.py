"""Judges answers against documents; pure."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.checks.contract.judging import FROZEN, MOST_CHARACTERS, SERVED, digest, served_document
from harness.checks.contract.provoking import reachable
from harness.checks.contract.responses_evidence import Exchange, ResponsesEvidence
from harness.checks.golden.wire import parse_json
from harness.checks.interface import EVIDENCE_FILE
from harness.model import Finding, Outcome
from harness.openapi import OpenAPIError
from harness.openapi.answers import DocumentedOperation, documented_operations
from harness.openapi.media import normal_media_type
from harness.openapi.model import shorten
from harness.openapi.render import printable
from harness.openapi.validation import SchemaValidator

MOST_FINDINGS = 100


@dataclass(frozen=True)
class _Problem:
    """One way in which answers and document differ: of the same kind and place it is the same problem."""

    kind: str
    operation: str
    status: str
    text: str
    reproduce: str = ""


def judge_responses(check_id: str, evidence: ResponsesEvidence) -> list[Finding]:
    """One finding for each problem of an operation's status, and one that sums up where there is none."""
    try:
        frozen = json.loads(evidence.frozen)
        promised = documented_operations(frozen, name=FROZEN)
        problems = _distinct([*_answers(evidence, promised, frozen), *_unseen(evidence, promised)])
    except OpenAPIError as error:
        return [_finding(check_id, evidence, "document", Outcome.ERROR, f"the frozen document: {error}")]
    findings = [
        _finding(
            check_id,
            evidence,
            f"{each.kind}.{digest(each.operation, each.status)}",
            Outcome.FAIL,
            f"{each.operation}: {each.text}",
            reproduce=each.reproduce,
        )
        for each in problems[:MOST_FINDINGS]
    ]
    if findings:
        return findings
    keys = {(each.operation, each.status) for each in evidence.exchanges}
    message = f"{len(keys)} statuses seen of {len(promised)} operations, each answer as documented"
    return [_finding(check_id, evidence, "documented", Outcome.PASS, message)]


def _finding(
    check_id: str, evidence: ResponsesEvidence, name: str, outcome: Outcome, text: str, *, reproduce: str = ""
) -> Finding:
    return Finding(
        id=f"{check_id}.{name}",
        outcome=outcome,
        message=printable(shorten(text, MOST_CHARACTERS)),
        samples=len(evidence.exchanges),
        evidence=f"{check_id}/{EVIDENCE_FILE}",
        reproduce=reproduce,
    )


def _distinct(problems: Sequence[_Problem]) -> list[_Problem]:
    """The first of each kind and place."""
    firsts = {(each.kind, each.operation, each.status): each for each in reversed(problems)}
    return sorted(firsts.values(), key=lambda each: (each.kind, each.operation, each.status))


def _answers(
    evidence: ResponsesEvidence, promised: Sequence[DocumentedOperation], frozen: dict[str, object]
) -> Iterator[_Problem]:
    by_name = {operation.name: operation for operation in promised}
    own = _own(evidence)
    schemas = SchemaValidator(frozen, name=FROZEN)
    for each in evidence.exchanges:
        if each.status is None:
            yield _problem("unanswered", each, f"no answer to the request for {each.wanted}: {each.problem}")
        elif each.operation in by_name:
            yield from _answer(each, each.status, by_name[each.operation], own.get(each.operation), schemas)


def _own(evidence: ResponsesEvidence) -> dict[str, DocumentedOperation]:
    """What the candidate's own document says; ``contract.openapi`` judges whether there is one."""
    try:
        return {
            each.name: each for each in documented_operations(served_document(evidence.served), name=SERVED)
        }
    except (ValueError, OpenAPIError):
        return {}


def _answer(
    each: Exchange,
    status: int,
    promised: DocumentedOperation,
    own: DocumentedOperation | None,
    schemas: SchemaValidator,
) -> Iterator[_Problem]:
    key = promised.key(status)
    if key is None:
        # What the candidate documents besides, `contract.openapi` lists as an addition.
        if own is None or own.key(status) is None:
            yield _problem("undocumented-status", each, f"{status} is documented nowhere")
        return
    documented = promised.answers[key]
    if missing := [name for name in documented.required_headers if name not in each.headers]:
        yield _problem("header", each, f"{status} without the header {', '.join(missing)}")
    if promised.operation.method == "head" or not (each.media_type or each.body or documented.media):
        return
    media = documented.media_type_of(each.media_type)
    if media is not None:
        yield from _body(each, documented.media[media], schemas)
        return
    own_key = own.key(status) if own else None
    if own is None or own_key is None or own.answers[own_key].media_type_of(each.media_type) is None:
        sent = f"as {each.media_type}" if each.media_type else "without a media type"
        text = f"{status} {sent}, documented is {', '.join(documented.media) or 'no body'}"
        yield _problem("undocumented-media-type", each, text)


def _body(each: Exchange, schema: str | None, schemas: SchemaValidator) -> Iterator[_Problem]:
    if each.problem:
        yield _problem("body", each, f"{each.status} with {each.problem}")
        return
    if not normal_media_type(each.media_type).partition(";")[0].endswith(("/json", "+json")):
        return
    try:
        value = parse_json(each.body.encode())
    except ValueError as error:
        yield _problem("body", each, f"{each.status} is not JSON: {error}")
        return
    if schema is not None and (problem := schemas.problem(schema, value)):
        yield _problem("body", each, f"{each.status} breaks its schema: {problem}")


def _unseen(evidence: ResponsesEvidence, promised: Sequence[DocumentedOperation]) -> Iterator[_Problem]:
    """Documented statuses and media types that no answer had, though a request was to provoke them."""
    for operation, key in reachable(promised, evidence.declared):
        asked = [each for each in evidence.exchanges if each.operation == operation.name]
        seen = [each for each in asked if each.status is not None and operation.key(each.status) == key]
        if not seen:
            wanted = next((each for each in asked if operation.key(each.wanted) == key), None)
            if wanted is None and evidence.executed < evidence.expected:
                continue  # it was not asked any more
            got = f", its request was answered {wanted.status}" if wanted and wanted.status else ""
            again = wanted.reproduce if wanted else ""
            yield _Problem("unseen", operation.name, key, f"documented {key} was never seen{got}", again)
            continue
        answer = operation.answers[key]
        types = {answer.media_type_of(each.media_type) for each in seen}
        for media in answer.media:
            if media not in types:
                text = f"documented {key} was never seen as {media}"
                yield _Problem("unseen", operation.name, f"{key} {media}", text)


def _problem(kind: str, each: Exchange, text: str) -> _Problem:
    place = str(each.wanted if each.status is None else each.status)
    return _Problem(kind, each.operation, place, text, each.reproduce)
