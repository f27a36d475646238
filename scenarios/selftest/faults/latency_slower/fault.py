"""Takes 10 ms more for every prediction, well within the absolute limits: only the comparison tells."""

import asyncio
import sys

import reference_service.api.routes
from reference_service.__main__ import main

DELAY_S = 0.010
prompt = reference_service.api.routes.read_body


async def slower(request, model):
    """As one more call to another service would."""
    await asyncio.sleep(DELAY_S)
    return await prompt(request, model)


reference_service.api.routes.read_body = slower
sys.exit(main())
