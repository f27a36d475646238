"""Assembles the application of one artifact."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from reference_service import __version__
from reference_service.access.authentication import build_authenticator
from reference_service.access.fingerprints import check_declaration
from reference_service.access.ratelimit import build_limiter
from reference_service.api.dispatch import DirectApp
from reference_service.api.middleware import Access, BodyLimit, RequestContext
from reference_service.api.openapi import document
from reference_service.api.routes import SCOPES, build_router
from reference_service.api.schema import request_models, response_models
from reference_service.model.artifact import ArtifactError
from reference_service.model.fetch import open_artifact
from reference_service.model.health import SampleCheck
from reference_service.model.inference import Model
from reference_service.model.manifest import Manifest
from reference_service.model.scheduler import Scheduler
from reference_service.settings import Settings
from reference_service.telemetry.drift import Drift
from reference_service.telemetry.input_hash import InputHash, read_key
from reference_service.telemetry.logs import LOGGER
from reference_service.telemetry.metrics import Metrics

if TYPE_CHECKING:
    from reference_service.telemetry.tracing import Tracing


def create_app(settings: Settings) -> FastAPI:
    """Build the application.

    Raises:
        ArtifactError: The artifact can't be fetched, or is not what its manifest says (also at
            startup, when the model is loaded).
        KeyFileError: A key file is named but missing or wrong.
        RedisUrlError: The file of the Redis URL is missing or wrong.
    """
    check_declaration(settings)
    artifact = open_artifact(settings)
    manifest = artifact.manifest
    models = request_models(manifest, max_batch=settings.max_batch)
    labels = {"model_version": manifest.version, "deployment_id": settings.deployment_id}
    metrics = Metrics(
        model=(manifest.name, manifest.version),
        deployment_id=settings.deployment_id,
        paths=frozenset(SCOPES),
        classes=manifest.outputs.probabilities.classes,
        features=[feature.name for feature in manifest.input.observed],
    )
    limiter = build_limiter(settings, metrics)

    tracing = _tracing(settings, manifest) if settings.otlp_endpoint else None
    drift = Drift(artifact.baseline, common=labels) if artifact.baseline else None
    if drift:
        metrics.expose(drift)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        try:
            model = Model(
                artifact,
                provider=settings.execution_provider,
                intra_op_threads=settings.intra_op_threads,
                observe_run=metrics.observe_run,
            )
        except ArtifactError as error:
            LOGGER.critical("refusing to start: %s", error)
            raise
        metrics.built_with(model.execution_provider)
        LOGGER.info(
            "model loaded",
            extra={
                "fields": {
                    "model": manifest.name,
                    "model_version": manifest.version,
                    "sha256": manifest.files[manifest.model_file],
                    "execution_provider": model.execution_provider,
                    "nodes_by_provider": model.nodes_by_provider,
                }
            },
        )
        await limiter.check()
        serving = manifest.serving
        scheduler = Scheduler(
            model,
            threads=serving.threads if settings.max_concurrency is None else settings.max_concurrency,
            max_queue=settings.max_queue,
            micro_batch_rows=serving.micro_batch_rows,
            metrics=metrics,
        )
        sample_check = SampleCheck(partial(scheduler.check, model.verify_sample))
        yield {"model": model, "scheduler": scheduler, "sample_check": sample_check}
        scheduler.close()
        await limiter.close()
        if tracing:
            tracing.close()

    app = DirectApp(
        title="Inference service",
        summary=manifest.description,
        version=__version__,
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    app.state.metrics = metrics
    app.include_router(
        build_router(
            manifest,
            models,
            response_models(manifest),
            metrics=metrics,
            drift=drift,
            limiter=limiter,
            input_hash=InputHash(read_key(settings.input_hash_key_file)),
        )
    )
    openapi = document(app, models)

    def served_document() -> dict[str, Any]:
        return openapi

    app.openapi = served_document  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    # The last one added is the outermost.
    app.add_middleware(
        Access,
        authenticator=build_authenticator(settings, metrics.tell_stale),
        limiter=limiter,
        scopes=SCOPES,
    )
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes, timeout_s=settings.body_timeout_s)
    app.add_middleware(RequestContext, metrics=metrics, labels=labels)
    if tracing:
        traced = frozenset(path for path, scope in SCOPES.items() if scope)
        app.add_middleware(tracing.traced, routes=traced, untraced=frozenset(SCOPES) - traced)
    return app


def _tracing(settings: Settings, manifest: Manifest) -> "Tracing":
    """Start tracing; without it nothing of it is loaded."""
    from reference_service.telemetry.tracing import Tracing  # noqa: PLC0415  # takes a third of a second

    return Tracing(
        {
            "model.name": manifest.name,
            "model.version": manifest.version,
            "deployment.id": settings.deployment_id,
        }
    )
