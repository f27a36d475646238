"""Listens at once and loads for a while; until then it is neither ready nor answers, and says so."""

import sys
import time

import reference_service.api.routes
from reference_service.__main__ import main
from reference_service.errors import ApiError

LOADED_AT = time.monotonic() + 2.5
answer = reference_service.api.routes.scheduled
check = reference_service.api.routes.checked


def require_loaded():
    """As long as it takes."""
    if time.monotonic() < LOADED_AT:
        raise ApiError(503, "model_unhealthy", "the model is still loaded")


async def answered(request, rows):
    """Not before it is loaded."""
    require_loaded()
    return await answer(request, rows)


async def checked(request):
    """Likewise."""
    require_loaded()
    return await check(request)


reference_service.api.routes.scheduled = answered
reference_service.api.routes.checked = checked
sys.exit(main())
