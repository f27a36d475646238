"""Tells whoever is refused to wait as long as a window lasts, and not as long as it still does."""

import sys

import reference_service.access.ratelimit
from reference_service.__main__ import main

refusal = reference_service.access.ratelimit._refusal


def whole_window(charge, state):
    """The window may end in a moment."""
    refused = refusal(charge, state)
    refused.headers["Retry-After"] = str(charge.period_s)
    return refused


reference_service.access.ratelimit._refusal = whole_window
sys.exit(main())
