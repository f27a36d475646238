"""Asks a target which model it serves, where the suite says it tells."""

import json
from typing import Any

from harness.config.service import MetadataSettings, ServiceSettings
from harness.credentials import Credentials
from harness.errors import TargetError
from harness.http_exchange import get_document, http_client
from harness.http_request import Request
from harness.model import ModelIdentity, TargetDescription, as_utf8
from harness.pointer import PointerError, resolve
from harness.targets.interface import Endpoint

TIMEOUT_S = 10.0
MAX_BYTES = 4 * 1024 * 1024
MAX_CHARACTERS = 200


def identified(endpoint: Endpoint, service: ServiceSettings, credentials: Credentials) -> TargetDescription:
    """The endpoint's description with the model it serves.

    Raises:
        TargetError: when the suite declares where the metadata lies and it is not there, or when a GPU was
            asked for and the service runs its model elsewhere.
    """
    settings = service.metadata
    description = endpoint.description
    if settings is None:
        return description
    document = _fetch(endpoint, settings, credentials)

    def at(pointer: str | None) -> str | None:
        if pointer is None:
            return None
        try:
            value = resolve(document, pointer)
        except PointerError as error:
            raise TargetError(f"GET {settings.path}: {error}", logs=endpoint.logs()) from error
        return None if value is None else as_utf8(credentials.redact(str(value))[:MAX_CHARACTERS])

    provider = at(settings.execution_provider)
    if description.device == "gpu" and (not provider or "CPU" in provider.upper()):
        raise TargetError(
            f"asked for a GPU, and the service says it runs its model on {provider or 'nothing'}",
            logs=endpoint.logs(),
        )
    model = ModelIdentity(name=at(settings.name), version=at(settings.version), sha256=at(settings.sha256))
    return description.model_copy(update={"model": model, "execution_provider": provider})


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
