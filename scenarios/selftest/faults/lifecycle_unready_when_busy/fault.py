"""Is not ready while it is asked often."""

import sys
import time
from collections import deque

import reference_service.api.routes
from reference_service.__main__ import main
from reference_service.errors import ApiError

answer = reference_service.api.routes.scheduled
check = reference_service.api.routes.checked
lately = deque(maxlen=50)


async def noted(request, rows):
    """Remembers when it was asked."""
    lately.append(time.monotonic())
    return await answer(request, rows)


async def calm(request):
    """Fifty within a second is too much for it to say that it is well."""
    if len(lately) == lately.maxlen and time.monotonic() - lately[0] < 1:
        raise ApiError(503, "model_unhealthy", "too busy to tell")
    return await check(request)


reference_service.api.routes.scheduled = noted
reference_service.api.routes.checked = calm
sys.exit(main())
