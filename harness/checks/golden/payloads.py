"""The golden cases as requests."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.checks.golden.golden_set import Case, load_golden_set
from harness.checks.golden.settings import BatchTemplate, GoldenSettings
from harness.config.suite import Suite
from harness.credentials import Credentials
from harness.errors import ConfigError
from harness.http_request import Request, RequestTemplate, build
from harness.template import TemplateError


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
    return single_requests(suite, settings, load_golden_set(suite, settings).cases, credentials)


def single_requests(
    suite: Suite, settings: GoldenSettings, cases: Sequence[Case], credentials: Credentials
) -> list[Request]:
    """One request a case, in their order.

    Raises:
        ConfigError: for a body template that cannot be filled.
    """
    values = [{"input": case.input} for case in cases]
    return _build_all(suite, "golden.single.body", settings.single, values, credentials)


def batch_requests(
    suite: Suite, batch: BatchTemplate, chunks: Sequence[Sequence[Case]], credentials: Credentials
) -> list[Request]:
    """One request a chunk.

    Raises:
        ConfigError: for a body template that cannot be filled.
    """
    values = [{"inputs": [case.input for case in chunk]} for chunk in chunks]
    return _build_all(suite, "golden.batch.body", batch, values, credentials)


def _build_all(
    suite: Suite,
    key: str,
    template: RequestTemplate,
    values: Sequence[Mapping[str, Any]],
    credentials: Credentials,
) -> list[Request]:
    headers = credentials.headers(template.credential)
    try:
        return [build(template, filling, headers) for filling in values]
    except TemplateError as error:
        raise ConfigError(file=suite.path, key=key, problem=str(error)) from error
