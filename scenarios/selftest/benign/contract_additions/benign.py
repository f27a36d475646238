"""A new endpoint, and a new member in an answer, both documented: old callers lose nothing."""

import sys

from fastapi import Request, Response
from fastapi.responses import JSONResponse

import reference_service.api.routes
import reference_service.app
from reference_service.__main__ import main
from reference_service.api.schema import HealthResponse

router_of = reference_service.app.build_router
document_of = reference_service.app.document
answer_of = reference_service.api.routes.json_response


def with_endpoint(manifest, *parts, **named):
    """Which model is served, for people in a hurry."""
    router = router_of(manifest, *parts, **named)

    @router.get("/version", response_model=dict[str, str])
    async def version(_request: Request) -> Response:
        return JSONResponse({"version": manifest.version})

    return router


def with_note(app, models):
    """The member is optional."""
    openapi = document_of(app, models)
    openapi["components"]["schemas"]["HealthResponse"]["properties"]["note"] = {"type": "string"}
    openapi["info"]["version"] = "1.1.0"
    return openapi


def noted(content):
    """Of health and readiness."""
    if isinstance(content, HealthResponse):
        content = {**content.model_dump(), "note": "all is well"}
    return answer_of(content)


reference_service.api.routes.SCOPES["/version"] = None
reference_service.app.build_router = with_endpoint
reference_service.app.document = with_note
reference_service.api.routes.json_response = noted
sys.exit(main())
