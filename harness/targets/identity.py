"""Asks a target which model it serves, where the suite says it tells."""

import json
from collections.abc import Callable
from typing import Any

from harness.config.service import MetadataSettings, ServiceSettings
from harness.credentials import Credentials
from harness.errors import TargetError
from harness.http_exchange import get_document, http_client
from harness.http_request import Request
from harness.model import ModelIdentity, TargetDescription, as_utf8
from harness.pointer import PointerError, resolve
from harness.targets.interface import Endpoint
from harness.targets.placement import nodes_in, not_on_gpu, providers_in

TIMEOUT_S = 10.0
MAX_BYTES = 4 * 1024 * 1024
MAX_CHARACTERS = 200


def identified(endpoint: Endpoint, service: ServiceSettings, credentials: Credentials) -> TargetDescription:
    """The endpoint's description with the model it serves.

    Raises:
        TargetError: when the suite declares where the metadata lies and it is not there, or when a GPU was
            asked for and the service runs its model, or too many nodes of it, on the CPU.
    """
    settings = service.metadata
    description = endpoint.description
    if settings is None:
        return description
    document = _fetch(endpoint, settings, credentials)

    def told(pointer: str | None) -> Any:
        if pointer is None:
            return None
        try:
            return resolve(document, pointer)
        except PointerError as error:
            raise TargetError(f"GET {settings.path}: {error}", logs=endpoint.logs()) from error

    def text(pointer: str | None) -> str | None:
        value = told(pointer)
        return None if value is None else as_utf8(credentials.redact(str(value))[:MAX_CHARACTERS])

    described = description.model_copy(
        update={
            "model": ModelIdentity(
                name=text(settings.name), version=text(settings.version), sha256=text(settings.sha256)
            ),
            "execution_provider": text(settings.execution_provider),
            **_placement(document, settings, credentials.redact),
        }
    )
    if description.device == "gpu" and (problem := _not_on_gpu(described, service, settings)):
        raise TargetError(f"asked for a GPU, and {problem}", logs=endpoint.logs())
    return described


def _placement(document: Any, settings: MetadataSettings, redact: Callable[[str], str]) -> dict[str, Any]:
    """What it says of providers and nodes; None for what it does not, as an older release on a CPU may."""

    def at(pointer: str | None) -> Any:
        try:
            return None if pointer is None else resolve(document, pointer)
        except PointerError:
            return None

    providers = providers_in(at(settings.execution_providers))
    nodes = nodes_in(at(settings.nodes_by_provider))
    return {
        "execution_providers": None if providers is None else tuple(map(redact, providers)),
        "nodes_by_provider": None if nodes is None else {redact(name): n for name, n in nodes.items()},
    }


def _not_on_gpu(described: TargetDescription, service: ServiceSettings, settings: MetadataSettings) -> str:
    """Say why it is no run on a GPU; what the suite declares and the service does not tell is a reason."""
    for pointer, value in (
        (settings.execution_providers, described.execution_providers),
        (settings.nodes_by_provider, described.nodes_by_provider),
    ):
        if pointer is not None and value is None:
            return f"GET {settings.path} does not tell at {pointer!r} what runs its model"
    return not_on_gpu(
        described.execution_provider,
        described.execution_providers,
        described.nodes_by_provider,
        max_cpu_nodes=0 if service.gpu is None else service.gpu.max_cpu_nodes,
    )


def _fetch(endpoint: Endpoint, settings: MetadataSettings, credentials: Credentials) -> Any:
    request = Request("GET", settings.path, credentials.headers(settings.credential))
    with http_client(endpoint.base_url) as client:
        document = get_document(client, request, timeout_s=TIMEOUT_S, most_bytes=MAX_BYTES)
    if document.problem:
        raise TargetError(f"GET {settings.path}: {document.problem}", logs=endpoint.logs())
    try:
        return json.loads(document.body)
    except (ValueError, RecursionError) as error:
        raise TargetError(f"GET {settings.path}: not JSON: {error}", logs=endpoint.logs()) from error
