"""Believes that clocks differ by a day."""

import sys

from reference_service.__main__ import main
from reference_service.access.tokens import jwt

DAY_S = 86_400
strict = jwt.decode


def tolerant(token, key, *, leeway, **others):
    """The setting allows a minute at the most; who would set it is not asked."""
    del leeway
    return strict(token, key, leeway=DAY_S, **others)


jwt.decode = tolerant
sys.exit(main())
