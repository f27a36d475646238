"""Keeps answers in a pool of eight buffers; whoever comes when all are taken shares one with others."""

import asyncio
import sys

import reference_service.api.routes
from reference_service.__main__ import main

SERIALISED_S = 0.03
prompt = reference_service.api.routes.scheduled
free = [{} for _ in range(8)]
shared = {}


async def pooled(request, rows):
    """Up to eight requests at a time are answered right."""
    buffer = free.pop() if free else shared
    buffer["predictions"] = await prompt(request, rows)
    await asyncio.sleep(SERIALISED_S)
    predictions = buffer["predictions"]
    if buffer is not shared:
        free.append(buffer)
    return predictions


reference_service.api.routes.scheduled = pooled
sys.exit(main())
