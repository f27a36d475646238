"""Reads one body at a time: a sender that stops half-way keeps all others waiting."""

import asyncio
import sys

import reference_service.api.routes
from reference_service.__main__ import main

whole = reference_service.api.routes.whole_body
reading = asyncio.Lock()


async def one_at_a_time(receive):
    """As a single blocking worker does."""
    async with reading:
        return await whole(receive)


reference_service.api.routes.whole_body = one_at_a_time
sys.exit(main())
