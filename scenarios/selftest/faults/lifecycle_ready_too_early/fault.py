"""Says that it is ready while its model is still loaded, and answers 503 until it is."""

import sys
import time

import reference_service.api.routes
from reference_service.__main__ import main
from reference_service.errors import ApiError

LOADING_S = 3.0
answer = reference_service.api.routes.scheduled
check = reference_service.api.routes.checked
since = []


async def at_once(request):
    """Whoever asks first learns that it is ready, and has it begin to load."""
    since.append(time.monotonic())
    del since[1:]
    return await check(request)


async def loaded(request, rows):
    """Only after a while."""
    if not since or time.monotonic() < since[0] + LOADING_S:
        raise ApiError(503, "overloaded", "the model is still loaded", headers={"Retry-After": "1"})
    return await answer(request, rows)


reference_service.api.routes.checked = at_once
reference_service.api.routes.scheduled = loaded
sys.exit(main())
