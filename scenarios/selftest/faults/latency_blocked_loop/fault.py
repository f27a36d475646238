"""Blocks the event loop for 40 ms at one request of forty: whoever comes meanwhile waits as well."""

import itertools
import sys
import time

import reference_service.api.routes
from reference_service.__main__ import main

BLOCK_S = 0.040
EVERY = 40
prompt = reference_service.api.routes.read_body
requests = itertools.count(1)


async def blocking(request, model):
    """As a synchronous call to another service would."""
    if next(requests) % EVERY == 0:
        time.sleep(BLOCK_S)  # noqa: ASYNC251 - the fault
    return await prompt(request, model)


reference_service.api.routes.read_body = blocking
sys.exit(main())
