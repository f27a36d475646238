"""The answers of a service to inputs, whole, or an error that names the first that is not."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from harness.checks.golden.asking import ask_all
from harness.checks.golden.golden_set import Case
from harness.checks.golden.payloads import single_requests
from harness.checks.golden.settings import GoldenSettings, OutputSettings
from harness.checks.golden.wire import WireError, cut, leaves
from harness.errors import AnswerError
from harness.golden.service import Service
from harness.pointer import PointerError, resolve

Progress = Callable[[int], None]


def answers(
    service: Service, settings: GoldenSettings, cases: Iterable[Case], progress: Progress
) -> Iterator[tuple[Case, dict[str, Any]]]:
    """Ask each case, as ``golden.single`` does but for as long as it takes.

    Raises:
        AnswerError: at the first case without an answer that has every declared output.
        TargetError: when the service died.
    """
    unhurried = settings.model_copy(update={"budget_s": math.inf})
    questions = single_requests(service.suite, settings, cases, service.credentials)
    asked = ask_all(service.endpoint, questions, unhurried)
    for done, (case, _, answer) in enumerate(asked, start=1):
        if answer.problem:
            raise AnswerError(f"{case.id}: {service.credentials.redact(answer.problem)}")
        yield case, outputs_of(case.id, answer.document, settings.outputs)
        progress(done)


def outputs_of(case_id: str, document: Any, outputs: Mapping[str, OutputSettings]) -> dict[str, Any]:
    """The declared outputs of one answer.

    Raises:
        AnswerError: for one that is missing or not as declared.
    """
    found = {}
    for name, output in outputs.items():
        try:
            value = resolve(document, output.pointer)
            leaves(value, output)
        except PointerError as error:
            raise AnswerError(f"{case_id}: {name}: {error}") from error
        except WireError as error:
            place = f"{output.pointer}{error.pointer}"
            raise AnswerError(cut(f"{case_id}: {name} at {place}: {error}")) from error
        found[name] = value
    return found
