"""Takes the declared outputs out of an answer."""

import json
from typing import Any

from harness.checks.golden.asking import Answer
from harness.checks.golden.golden_set import Case
from harness.checks.golden.members import undeclared
from harness.checks.golden.records import CaseRecord
from harness.checks.golden.settings import GoldenSettings
from harness.pointer import PointerError, resolve

# What is kept of an output, as a multiple of the expected JSON: a hostile answer must not fill the disk.
MOST_TIMES_EXPECTED = 16
MOST_BESIDES_BYTES = 4096


def record(case: Case, answer: Answer, settings: GoldenSettings, *, body: str = "") -> CaseRecord:
    """What one answer, or one item of a batch answer, says to one case."""
    if answer.problem:
        return CaseRecord(id=case.id, expected=case.expected, problem=answer.problem, body=body)
    observed: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for name, output in settings.outputs.items():
        try:
            value = resolve(answer.document, output.pointer)
        except PointerError as error:
            missing[name] = str(error)
            continue
        size, most = len(json.dumps(value)), _most_bytes(case.expected[name])
        if size > most:
            missing[name] = f"{size} bytes of JSON where at most {most} are kept"
        else:
            observed[name] = value
    extra: tuple[str, ...] = ()
    if settings.ignored is not None:
        declared = [output.pointer for output in settings.outputs.values()]
        extra = undeclared(answer.document, [*declared, *settings.ignored])
    return CaseRecord(
        id=case.id, expected=case.expected, observed=observed, missing=missing, extra=extra, body=body
    )


def _most_bytes(expected: Any) -> int:
    return MOST_TIMES_EXPECTED * len(json.dumps(expected)) + MOST_BESIDES_BYTES
