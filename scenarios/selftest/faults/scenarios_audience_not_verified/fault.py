"""Accepts a token that was issued for another service."""

import sys

from reference_service.__main__ import main
from reference_service.access.tokens import jwt

strict = jwt.decode


def any_audience(token, key, *, audience, options, **others):
    """The claim has to be there, whatever it says."""
    del audience
    return strict(token, key, options={**options, "verify_aud": False}, **others)


jwt.decode = any_audience
sys.exit(main())
