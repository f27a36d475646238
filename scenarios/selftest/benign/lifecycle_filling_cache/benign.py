"""Notes something of the last 2000 bodies: its memory grows until they are there, and no further."""

import sys
from collections import deque

import reference_service.api.routes
from reference_service.__main__ import main

receive_body = reference_service.api.routes.whole_body
kept = deque(maxlen=2000)


async def keeping(receive):
    """As much of each, however long it is."""
    content = await receive_body(receive)
    kept.append(bytearray(8192))
    return content


reference_service.api.routes.whole_body = keeping
sys.exit(main())
