"""The golden cases as requests."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from harness.checks.golden.golden_set import Case, open_golden_set
from harness.checks.golden.settings import BatchTemplate, GoldenSettings
from harness.config.suite import Suite
from harness.credentials import Credentials
from harness.errors import ConfigError
from harness.http_request import Request, RequestTemplate, build
from harness.template import TemplateError

T = TypeVar("T")


def payloads(suite: Suite, credentials: Credentials) -> list[Request]:
    """The single request of every golden case, for a load that asks real questions.

    Raises:
        ConfigError: when the suite has no golden set, or the set is wrong.
    """
    settings = suite.config.golden
    if settings is None:
        raise ConfigError(
            file=suite.path, key="golden", problem="section is missing", allowed="a section with a golden set"
        )
    cases = open_golden_set(suite, settings).cases
    return [request for _, request in single_requests(suite, settings, cases, credentials)]


def single_requests(
    suite: Suite, settings: GoldenSettings, cases: Iterable[Case], credentials: Credentials
) -> Iterator[tuple[Case, Request]]:
    """Each case with its request, in their order.

    Raises:
        ConfigError: for a body template that cannot be filled.
    """
    asked = ((case, {"input": case.input}) for case in cases)
    return _build_all(suite, "golden.single.body", settings.single, asked, credentials)


def batch_requests(
    suite: Suite, batch: BatchTemplate, cases: Iterable[Case], credentials: Credentials
) -> Iterator[tuple[list[Case], Request]]:
    """The cases in chunks of the batch's size, each with its request; the last may be smaller.

    Raises:
        ConfigError: for a body template that cannot be filled.
    """
    asked = ((chunk, {"inputs": [case.input for case in chunk]}) for chunk in chunks(cases, batch.size))
    return _build_all(suite, "golden.batch.body", batch, asked, credentials)


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in lists of ``size``; the last may be shorter."""
    left = iter(items)
    while chunk := list(islice(left, size)):
        yield chunk


def _build_all(
    suite: Suite,
    key: str,
    template: RequestTemplate,
    asked: Iterable[tuple[T, Mapping[str, Any]]],
    credentials: Credentials,
) -> Iterator[tuple[T, Request]]:
    headers = credentials.headers(template.credential)
    for question, values in asked:
        try:
            request = build(template, values, headers)
        except TemplateError as error:
            raise ConfigError(file=suite.path, key=key, problem=str(error)) from error
        yield question, request
