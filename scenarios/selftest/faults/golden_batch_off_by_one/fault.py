"""Gives each row of a batch the answer of the next; of a single row, the next is itself."""

import sys

import reference_service.api.routes
from reference_service.__main__ import main

aligned = reference_service.api.routes.scheduled


async def shifted(request, rows):
    """As where a list of answers begins to be read one too late."""
    first, *others = await aligned(request, rows)
    return [*others, first]


reference_service.api.routes.scheduled = shifted
sys.exit(main())
