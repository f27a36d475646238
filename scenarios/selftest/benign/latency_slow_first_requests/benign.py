"""Is slow for its first twenty requests, as one that fills its caches: that is warm-up, and not counted."""

import asyncio
import itertools
import sys

import reference_service.api.routes
from reference_service.__main__ import main

FIRST = 20
PAUSE_S = 0.050
warm = reference_service.api.routes.read_body
requests = itertools.count(1)


async def warming(request, model):
    """Later ones are as quick as ever."""
    if next(requests) <= FIRST:
        await asyncio.sleep(PAUSE_S)
    return await warm(request, model)


reference_service.api.routes.read_body = warming
sys.exit(main())
