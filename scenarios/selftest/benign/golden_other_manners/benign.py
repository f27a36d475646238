"""Another header, other words in its errors, another order of keys: nothing that a caller may rely on."""

import json
import sys

from starlette.responses import Response

import reference_service.api.errors
import reference_service.api.routes
from reference_service.__main__ import main

ordered = reference_service.api.routes.json_response
blunt = reference_service.api.errors.from_validation


def reordered(content):
    """Every object's keys from the last to the first, and a header nobody asked for."""
    body = json.loads(ordered(content).body, object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    return Response(json.dumps(body), media_type="application/json", headers={"X-Served-By": "another pod"})


def polite(error):
    """The code and the field stay; only the message is for people."""
    refusal = blunt(error)
    refusal.detail = f"Sorry: {refusal.detail}."
    return refusal


reference_service.api.routes.json_response = reordered
reference_service.api.routes.from_validation = polite
sys.exit(main())
