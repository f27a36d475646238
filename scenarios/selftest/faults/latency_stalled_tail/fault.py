"""Stalls two predictions of a hundred by 40 ms: the median knows nothing of it."""

import asyncio
import itertools
import sys

import reference_service.api.routes
from reference_service.__main__ import main

STALL_S = 0.040
EVERY = 50
prompt = reference_service.api.routes.read_body
requests = itertools.count(1)


async def stalled(request, model):
    """The others go on meanwhile."""
    if next(requests) % EVERY == 0:
        await asyncio.sleep(STALL_S)
    return await prompt(request, model)


reference_service.api.routes.read_body = stalled
sys.exit(main())
