"""The operations. Bodies are parsed and validated in one step, after access was granted."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive

from reference_service import __version__
from reference_service.access.apikeys import Scope
from reference_service.access.authentication import Principal
from reference_service.access.ratelimit import RateLimiter
from reference_service.api.errors import from_validation
from reference_service.api.instances import row
from reference_service.api.openapi import BODY_ERRORS, protected, unprotected
from reference_service.api.schema import HealthResponse, MetadataResponse, RequestModels, ResponseModels
from reference_service.errors import ApiError
from reference_service.model.manifest import Manifest
from reference_service.model.scheduler import OverloadedError, Scheduler
from reference_service.prediction import Prediction
from reference_service.telemetry.drift import Drift
from reference_service.telemetry.input_hash import InputHash
from reference_service.telemetry.metrics import CONTENT_TYPE, Metrics
from reference_service.telemetry.record import record_of

RETRY_SOON = {"Retry-After": "1"}
SCOPES: Mapping[str, Scope | None] = {
    "/predict": "predict",
    "/predict/batch": "predict",
    "/metadata": "metadata",
    "/health": None,
    "/ready": None,
    "/metrics": None,
    "/openapi.json": None,
}
"""Every path there is, with the scope it requires; None where it is open to all."""


def build_router(
    manifest: Manifest,
    models: RequestModels,
    answers: ResponseModels,
    *,
    metrics: Metrics,
    drift: Drift | None,
    limiter: RateLimiter,
    input_hash: InputHash,
) -> APIRouter:
    """Build the operations of one artifact; the loaded model is in the application's lifespan state."""
    router = APIRouter()

    async def answered(request: Request, rows: Sequence[ArrayLike]) -> list[Prediction]:
        """Answer rows, and note what was asked and how long it took."""
        record = record_of(request.scope)
        model = request.scope["state"]["model"]
        values = model.tensor(rows)
        record.rows = len(values)
        record.input_hash = input_hash(values)
        predictions = await scheduled(request, values)
        metrics.observe_predictions(predictions)
        if drift:
            drift.add(model.observe(values), [prediction.label for prediction in predictions])
        return predictions

    @router.post("/predict", response_model=answers.predict, **protected(*BODY_ERRORS, body="PredictRequest"))
    async def predict(request: Request) -> Response:
        """Predict the label and class probabilities of one instance."""
        check_model(request.scope["principal"], manifest)
        body: Any = await read_body(request, models.predict)
        record_of(request.scope).client_request_id = body.request_id
        check_version(body.model_version, manifest)
        predictions = await answered(request, [row(body.instance)])
        return json_response(
            {
                **predictions[0].__dict__,
                "model_version": manifest.version,
                "request_id": body.request_id or request.scope["request_id"],
            }
        )

    @router.post(
        "/predict/batch", response_model=answers.batch, **protected(*BODY_ERRORS, body="BatchRequest")
    )
    async def predict_batch(request: Request) -> Response:
        """Predict many instances at once; answers are in the order of the instances."""
        check_model(request.scope["principal"], manifest)
        body: Any = await read_body(request, models.batch)
        record_of(request.scope).client_request_id = body.request_id
        check_version(body.model_version, manifest)
        check_batch(request.scope["principal"], len(body.instances))
        await limiter.admit_rows(request.scope["principal"], len(body.instances))
        predictions = await answered(request, [row(instance) for instance in body.instances])
        return json_response(
            {
                "predictions": predictions,
                "model_version": manifest.version,
                "request_id": body.request_id or request.scope["request_id"],
            }
        )

    @router.get("/metadata", response_model=MetadataResponse, **protected())
    async def metadata(request: Request) -> Response:
        """Return the manifest of the served artifact, and the execution provider that runs its model."""
        model = request.scope["state"]["model"]
        return json_response(
            {
                **manifest.__dict__,
                "execution_provider": model.execution_provider,
                "execution_providers": model.execution_providers,
                "nodes_by_provider": model.nodes_by_provider,
            }
        )

    @router.get("/health", response_model=HealthResponse, **unprotected(503))
    async def health(request: Request) -> Response:
        """Tell whether the process is alive and the model answers its sample."""
        return await checked(request)

    @router.get("/ready", response_model=HealthResponse, **unprotected(503))
    async def ready(request: Request) -> Response:
        """Tell whether requests may be sent: the model answers its sample."""
        return await checked(request)

    described = unprotected()
    described["responses"][200]["content"] = {"text/plain": {"schema": {"type": "string"}}}

    @router.get("/metrics", response_class=Response, **described)
    async def prometheus(_request: Request) -> Response:
        """Return the metrics in the Prometheus text format."""
        return Response(metrics.exposition(), media_type=CONTENT_TYPE)

    return router


async def scheduled(request: Request, rows: NDArray[Any]) -> list[Prediction]:
    """Wait for the model's predictions; the place of a client that goes away meanwhile is free again.

    Raises:
        ApiError: 503 if the queue is full.
        ClientDisconnect: The client is gone.
    """
    scheduler: Scheduler = request.scope["state"]["scheduler"]
    try:
        job = scheduler.submit(rows)
    except OverloadedError:
        raise ApiError(503, "overloaded", "too many requests wait", headers=RETRY_SOON) from None
    request.scope["withdraw"] = partial(scheduler.withdraw, job)
    try:
        predictions = await job.predictions
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task and task.cancelling():
            raise
        raise ClientDisconnect from None
    record = record_of(request.scope)
    record.queue_s = job.started - job.queued
    record.inferred(job.started, job.ended)
    return predictions


async def whole_body(receive: Receive) -> bytes:
    """Receive a body to its end.

    Raises:
        ClientDisconnect: The client is gone.
    """
    pieces = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(pieces)


async def read_body(request: Request, model: type[BaseModel]) -> BaseModel:
    """Read and validate a JSON body.

    Raises:
        ApiError: 415 for another content type, 400 for malformed JSON or a body that breaks the schema.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise ApiError(415, "unsupported_media_type", "the body must be application/json")
    content = await whole_body(request.receive)
    started = time.perf_counter()
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        raise from_validation(error) from error
    finally:
        record_of(request.scope).parse_s = time.perf_counter() - started


def check_version(requested: str | None, manifest: Manifest) -> None:
    """Raise a 409 if the client wants a model version that is not served."""
    if requested is not None and requested != manifest.version:
        raise ApiError(
            409, "model_version_mismatch", f"served version is {manifest.version}", field="model_version"
        )


def check_model(principal: Principal, manifest: Manifest) -> None:
    """Raise a 403 if the served model version may not predict for the caller."""
    if principal.models is not None and manifest.version not in principal.models:
        raise ApiError(403, "model_not_allowed", f"model version {manifest.version} is not allowed")


def check_batch(principal: Principal, rows: int) -> None:
    """Raise a 403 if the caller may not have so many rows at once."""
    if principal.max_batch is not None and rows > principal.max_batch:
        raise ApiError(
            403,
            "batch_not_allowed",
            f"a batch may have at most {principal.max_batch} rows",
            field="instances",
        )


async def checked(request: Request) -> Response:
    """Tell what is served; a wrong answer to the sample is a 503."""
    if problem := await request.scope["state"]["sample_check"].problem():
        raise ApiError(503, "model_unhealthy", "the model does not answer its sample") from problem
    model = request.scope["state"]["model"]
    return json_response(
        HealthResponse(
            status="ok",
            model=model.manifest.name,
            model_version=model.manifest.version,
            service_version=__version__,
            execution_provider=model.execution_provider,
        )
    )


def json_response(content: BaseModel | dict[str, Any]) -> Response:
    """Serialise a model, or a dictionary with the members of one: making the model would only cost time."""
    body = to_json(content, by_alias=False, inf_nan_mode="null")
    return Response(body, media_type="application/json")
