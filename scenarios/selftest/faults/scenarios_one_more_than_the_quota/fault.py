"""Compares with the wrong sign: one more than the quota is answered."""

import sys

import reference_service.access.ratelimit
import reference_service.access.windows
from reference_service.__main__ import main


def fits(charge, state):
    """What is used before may be the whole quota."""
    return state.used + charge.cost <= charge.limit + 1


reference_service.access.windows.fits = fits
reference_service.access.ratelimit.fits = fits
sys.exit(main())
