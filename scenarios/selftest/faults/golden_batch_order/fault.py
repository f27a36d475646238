"""Answers a batch sorted by label, not in the order it was asked."""

import sys

import reference_service.api.routes
from reference_service.__main__ import main

in_order = reference_service.api.routes.scheduled


async def by_label(request, rows):
    """One row is always in order, so that single requests are right."""
    return sorted(await in_order(request, rows), key=lambda prediction: prediction.label)


reference_service.api.routes.scheduled = by_label
sys.exit(main())
