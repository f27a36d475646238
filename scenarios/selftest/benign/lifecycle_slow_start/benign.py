"""Listens, and loads once somebody asks for it; until then it is neither ready nor answers, and says so."""

import sys
import time

import reference_service.api.routes
from reference_service.__main__ import main
from reference_service.errors import ApiError

LOADING_S = 2.5
answer = reference_service.api.routes.scheduled
check = reference_service.api.routes.checked
since = []


def require_loaded():
    """Whoever asks first has it begin: by a clock that began at the start, a slow machine had none left."""
    since.append(time.monotonic())
    del since[1:]
    if time.monotonic() < since[0] + LOADING_S:
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
