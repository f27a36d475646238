"""Takes 15 ms more for each prediction after 2,000 without a rest: the first seconds show nothing of it."""

import asyncio
import sys
import time

import reference_service.api.routes
from reference_service.__main__ import main

GOOD = 2000
DELAY_S = 0.015
REST_S = 1.0
prompt = reference_service.api.routes.scheduled


class Table:
    """It is searched from its beginning, and tidied only when nobody has asked for a while."""

    def __init__(self):
        self.size = 0
        self.asked = time.monotonic()

    def grow(self):
        """One more, or the first after a rest."""
        now = time.monotonic()
        self.size = 1 if now - self.asked > REST_S else self.size + 1
        self.asked = now


table = Table()


async def tiring(request, rows):
    """As one would that tidies up when it is idle."""
    table.grow()
    if table.size > GOOD:
        await asyncio.sleep(DELAY_S)
    return await prompt(request, rows)


reference_service.api.routes.scheduled = tiring
sys.exit(main())
