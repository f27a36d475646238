"""One case of Schemathesis as data, and asked again.

Beside ``schemathesis_engine.py`` the only file that knows Schemathesis.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

import requests
from requests.structures import CaseInsensitiveDict
from schemathesis.checks import CHECKS, CheckFunction
from schemathesis.core import NOT_SET
from schemathesis.core.failures import FailureGroup
from schemathesis.generation.case import Case
from schemathesis.generation.meta import CaseMetadata
from schemathesis.schemas import BaseSchema

from harness.checks.fuzz.protocol import NO_ANSWER, Failed, Job
from harness.checks.fuzz.sent import failed_of, of_prepared, unanswered
from harness.checks.fuzz.shrink import shrunk

PARTS = ("path_parameters", "query", "headers", "cookies", "body")
MOST_QUESTIONS = 300
"""Of one failure that is made smaller."""
PROBING = "ignored_auth"
"""The check that sends a request of its own, without the credential; that one is shown, and left as it is."""
_DRAWS = ("pool_draws", "pool_misses", "semantic_draws", "dictionary_draws", "constants_draws")


def as_data(case: Case[Any]) -> str:
    """A case as JSON, empty where it holds what JSON cannot."""
    parts = {name: getattr(case, name) for name in PARTS}
    given = {
        name: dict(value) if isinstance(value, Mapping) else value
        for name, value in parts.items()
        if value is not NOT_SET and (name == "body" or value)
    }
    meta = case.meta
    document = {
        "path": case.operation.path,
        "operation": case.operation.method.upper(),
        "method": case.method.upper(),
        "media_type": case.media_type,
        "parts": given,
        "meta": None if meta is None else meta.to_dict() | {name: [] for name in _DRAWS},
    }
    try:
        return json.dumps(document, allow_nan=False)
    except (TypeError, ValueError):
        return ""


class Again:
    """Sends cases again, each held against one check.

    Args:
        schema: The loaded contract.
        job: Credential and bounds.
    """

    def __init__(self, schema: BaseSchema, job: Job) -> None:
        self._schema = schema
        self._job = job

    def ask(self, data: str, check: str) -> Failed | None:
        """The failure, if the case still fails the check.

        Raises:
            LookupError: the contract has no such operation, or it is no case.
            ValueError: it is no case.
        """
        return self._asked(self._case(json.loads(data)), check)

    def smallest(self, failed: Failed, in_time: Callable[[], bool]) -> Failed | None:
        """The failure with a request made as small as it can be and fail in the same way.

        Returns:
            None where it did not fail again as it had.
        """
        document = json.loads(failed.case)
        found: dict[str, Failed] = {}

        def fails(parts: Any) -> bool:
            if not in_time():
                return False
            try:
                case = self._case(document, parts)
                again = self._asked(case, failed.check)
            except Exception:  # noqa: BLE001 - what the engine cannot make a request of is no candidate
                return False
            # The probe's own status is not that of the case.
            same = again is not None and (again.same == failed.same or again.check == failed.check == PROBING)
            if again is None or not same:
                return False
            found["best"] = again.model_copy(update={"case": as_data(case)})
            return True

        if not fails(document["parts"]):
            return None
        if failed.check == PROBING:
            return failed
        shrunk(document["parts"], fails, most=MOST_QUESTIONS)
        return found["best"]

    def _case(self, document: dict[str, Any], parts: dict[str, Any] | None = None) -> Case[Any]:
        """The case; where ``parts`` are others than its own, whether it is valid is seen anew."""
        operation = self._schema[document["path"]][document["operation"]]
        given = document["parts"]
        meta = document["meta"]
        case = operation.Case(
            method=document["method"],
            media_type=document["media_type"],
            _meta=None if meta is None else CaseMetadata.from_dict(meta),
            **given,
        )
        for name in PARTS if parts is not None else ():
            value = (parts or {}).get(name, NOT_SET if name == "body" else {})
            if value != given.get(name, NOT_SET if name == "body" else {}):
                setattr(case, name, CaseInsensitiveDict(value) if name == "headers" else value)
        return case

    def _asked(self, case: Case[Any], check: str) -> Failed | None:
        label = case.operation.label
        how: dict[str, Any] = {"headers": self._job.headers, "timeout": self._job.answer_timeout_s}
        try:
            response = case.call(**how)
        except requests.RequestException as error:
            return unanswered(error, label)
        if check == NO_ANSWER:
            return None
        try:
            case.validate_response(
                response,
                checks=[cast("CheckFunction", CHECKS.get_one(check))],
                headers=self._job.headers,
                transport_kwargs=how,
            )
        except FailureGroup as group:
            first = group.exceptions[0]
            message = f"{getattr(first, 'title', type(first).__name__)}: {getattr(first, 'message', first)}"
            sent = of_prepared(response.request)
            return failed_of(
                check, label, message, status=response.status_code, content=response.content, **sent
            )
        return None
