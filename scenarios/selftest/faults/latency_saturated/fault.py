"""Computes for 12 ms at every request, more than a core has time for at the declared rate: a queue grows."""

import sys
import time

import reference_service.api.routes
from reference_service.__main__ import main

COMPUTE_S = 0.012
prompt = reference_service.api.routes.read_body


async def computing(request, model):
    """In the event loop, as a costly feature would be."""
    until = time.thread_time() + COMPUTE_S
    while time.thread_time() < until:
        pass
    return await prompt(request, model)


reference_service.api.routes.read_body = computing
sys.exit(main())
