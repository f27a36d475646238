"""Takes 200 ms more for every prediction, beyond every absolute limit: no machine is too busy to tell."""

import asyncio
import sys

import reference_service.api.routes
from reference_service.__main__ import main

DELAY_S = 0.200
prompt = reference_service.api.routes.read_body


async def slower(request, model):
    """As one more call to another service would."""
    await asyncio.sleep(DELAY_S)
    return await prompt(request, model)


reference_service.api.routes.read_body = slower
sys.exit(main())
