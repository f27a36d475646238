"""Keeps every body that it was asked with."""

import json
import sys

import reference_service.api.routes
from reference_service.__main__ import main

receive_body = reference_service.api.routes.whole_body
kept = []


async def keeping(receive):
    """Nobody ever takes them out again."""
    content = await receive_body(receive)
    try:
        kept.append(json.loads(content))
    except (ValueError, RecursionError):
        kept.append(content)
    return content


reference_service.api.routes.whole_body = keeping
sys.exit(main())
