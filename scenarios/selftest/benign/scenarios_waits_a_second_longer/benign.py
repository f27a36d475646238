"""Rounds Retry-After up generously, never beyond the whole window."""

import sys

import reference_service.access.ratelimit
from reference_service.__main__ import main

exactly = reference_service.access.ratelimit._refusal


def generously(charge, state):
    """Half a second more is no harm: who waits is let in."""
    return exactly(charge, state._replace(ends_in_s=min(charge.period_s, state.ends_in_s + 0.5)))


reference_service.access.ratelimit._refusal = generously
sys.exit(main())
