"""What the checks of this family ask, whom, and how often."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.checks.golden.golden_set import load_golden_set, open_golden_set
from harness.checks.golden.payloads import payloads
from harness.checks.interface import CheckContext
from harness.checks.latency.settings import LatencySettings, MixedRequest
from harness.config.suite import Suite
from harness.credentials import Credentials
from harness.errors import ConfigError
from harness.http_request import Request, RequestTemplate, build
from harness.load import LoadPlan, Payload, Side
from harness.template import TemplateError


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The payloads of all endpoints, one endpoint after the other.

    Attributes:
        endpoints: The number of payloads of each endpoint, by its name, in their order.
    """

    payloads: tuple[Payload, ...]
    endpoints: dict[str, int]


def verify_requests(suite: Suite, settings: LatencySettings) -> None:
    """Read the golden cases that the requests are made of, and fill the bodies.

    Raises:
        ConfigError: There are none, they are wrong, or a body cannot be filled.
    """
    golden = suite.config.golden
    for index, asked in enumerate(settings.asked):
        if asked.request is not None:
            _filled(suite, asked.request, {}, _key(settings, index))
        elif golden is not None:
            load_golden_set(suite, golden)
        else:
            raise ConfigError(
                file=suite.path,
                key=_key(settings, index),
                problem="there is no [golden] to take requests from",
                allowed="a request of its own, or a section [golden]",
            )


def asked_of(context: CheckContext, settings: LatencySettings) -> Asked:
    """Build the requests of all endpoints.

    Raises:
        ConfigError: A body cannot be filled.
    """
    by_name = {
        asked.name: _requests(context.suite, asked, context.credentials, _key(settings, index))
        for index, asked in enumerate(settings.asked)
    }
    return Asked(
        payloads=tuple(
            Payload(
                method=request.method,
                path=request.path,
                headers=dict(request.headers),
                body=request.body,
                expected_status=asked.expected_status,
                weight=asked.weight / len(by_name[asked.name]),
            )
            for asked in settings.asked
            for request in by_name[asked.name]
        ),
        endpoints={name: len(requests) for name, requests in by_name.items()},
    )


def load_plan(
    context: CheckContext,
    settings: LatencySettings,
    asked: Asked,
    sides: tuple[Side, ...],
    *,
    rate_per_s: float,
    block_arrivals: int,
    burst: int = 1,
) -> LoadPlan:
    """Return the load of a check; the last three are as of `LoadPlan`, all else is as the suite declares."""
    return LoadPlan(
        sides=sides,
        payloads=asked.payloads,
        rate_per_s=rate_per_s,
        arrival=settings.arrival,
        block_arrivals=block_arrivals,
        burst=burst,
        seed=context.seed,
        timeout_s=settings.timeout_s,
        warmup_requests=settings.warmup_requests,
        concurrency=max(settings.connections, burst),
        cpu_affinity=context.generator_cpus,
    )


def sides_of(context: CheckContext) -> tuple[Side, ...]:
    """Return the reference, where there is one, and the candidate."""
    candidate = candidate_of(context)
    if context.reference is None:
        return (candidate,)
    return Side(name="reference", base_url=context.reference.load_url), candidate


def candidate_of(context: CheckContext) -> Side:
    """Return the candidate."""
    return Side(name="candidate", base_url=context.candidate.load_url)


def _key(settings: LatencySettings, index: int) -> str:
    return f"latency.mix.{index}.request" if settings.mix else "latency.request"


def _requests(suite: Suite, asked: MixedRequest, credentials: Credentials, key: str) -> Sequence[Request]:
    if asked.request is None:
        return payloads(suite, credentials)
    return _filled(suite, asked.request, credentials.headers(asked.request.credential), key)


def _filled(suite: Suite, template: RequestTemplate, headers: Mapping[str, str], key: str) -> list[Request]:
    golden = suite.config.golden
    fillings = (
        [{}] if golden is None else [{"input": case.input} for case in open_golden_set(suite, golden).cases]
    )
    try:
        return [build(template, filling, headers) for filling in fillings]
    except TemplateError as error:
        raise ConfigError(file=suite.path, key=f"{key}.body", problem=str(error)) from error
