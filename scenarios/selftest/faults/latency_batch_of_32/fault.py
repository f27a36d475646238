"""Stalls one batch in ten by 40 ms, of those with 32 rows and more: smaller ones know nothing of it."""

import asyncio
import itertools
import sys

import reference_service.api.routes
from reference_service.__main__ import main

ROWS = 32
STALL_S = 0.040
EVERY = 10
answer = reference_service.api.routes.scheduled
large = itertools.count(1)


async def growing(request, rows):
    """As one would whose buffer holds 31 rows, and has to be made anew from time to time."""
    if len(rows) >= ROWS and next(large) % EVERY == 0:
        await asyncio.sleep(STALL_S)
    return await answer(request, rows)


reference_service.api.routes.scheduled = growing
sys.exit(main())
