"""Takes 15 ms more for every prediction after its 2,000th: a look at the beginning sees nothing of it."""

import asyncio
import itertools
import sys

import reference_service.api.routes
from reference_service.__main__ import main

GOOD = 2000
DELAY_S = 0.015
prompt = reference_service.api.routes.scheduled
requests = itertools.count(1)


async def tiring(request, rows):
    """As a table would make it that is searched from its beginning."""
    if next(requests) > GOOD:
        await asyncio.sleep(DELAY_S)
    return await prompt(request, rows)


reference_service.api.routes.scheduled = tiring
sys.exit(main())
