"""A new endpoint, and a new member in an answer, both documented: old callers lose nothing."""

import sys

import reference_service.api.routes
import reference_service.app
from reference_service.__main__ import main

router_of = reference_service.app.build_router
document_of = reference_service.app.document
answer_of = reference_service.api.routes.json_response


def with_endpoint(manifest, *parts, **named):
    """Which model is served, for people in a hurry."""
    router = router_of(manifest, *parts, **named)

    @router.get("/version")
    async def version() -> dict[str, str]:
        return {"version": manifest.version}

    return router


def with_note(app, models):
    """The member is optional."""
    openapi = document_of(app, models)
    openapi["components"]["schemas"]["HealthResponse"]["properties"]["note"] = {"type": "string"}
    openapi["info"]["version"] = "1.1.0"
    return openapi


def noted(content):
    """Of health and readiness, which alone have a status."""
    return answer_of({**content, "note": "all is well"} if "status" in content else content)


reference_service.api.routes.SCOPES["/version"] = None
reference_service.app.build_router = with_endpoint
reference_service.app.document = with_note
reference_service.api.routes.json_response = noted
sys.exit(main())
