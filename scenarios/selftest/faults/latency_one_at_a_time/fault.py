"""Predicts one request at a time, and whoever finds another before it looks again only 5 ms later."""

import asyncio
import sys

import reference_service.api.routes
from reference_service.__main__ import main

POLL_S = 0.005
answer = reference_service.api.routes.scheduled
predicting = []


async def alone(request, rows):
    """As a lock in a file would make it; a request that comes alone waits for nothing."""
    while predicting:  # noqa: ASYNC110 - the fault
        await asyncio.sleep(POLL_S)
    predicting.append(request)
    try:
        return await answer(request, rows)
    finally:
        predicting.clear()


reference_service.api.routes.scheduled = alone
sys.exit(main())
