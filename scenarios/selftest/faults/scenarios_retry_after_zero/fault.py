"""Tells whoever is refused to come back at once."""

import sys

import reference_service.access.ratelimit
from reference_service.__main__ import main

refusal = reference_service.access.ratelimit._refusal


def at_once(charge, state):
    """Retry-After: 0."""
    refused = refusal(charge, state)
    refused.headers["Retry-After"] = "0"
    return refused


reference_service.access.ratelimit._refusal = at_once
sys.exit(main())
