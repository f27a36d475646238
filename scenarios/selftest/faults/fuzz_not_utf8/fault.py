"""Reads every body as text before it is checked; bytes that are none end in a 500."""

import sys

import reference_service.api.routes
from reference_service.__main__ import main

whole = reference_service.api.routes.whole_body


async def as_text(receive):
    """For a log, perhaps."""
    content = await whole(receive)
    content.decode("utf-8")
    return content


reference_service.api.routes.whole_body = as_text
sys.exit(main())
