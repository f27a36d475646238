"""Writes the tokens that it refuses into its log, to see why."""

import logging
import sys

from reference_service.__main__ import main
from reference_service.access.tokens import TokenError, TokenVerifier

discreet = TokenVerifier.verified


def talkative(self, token):
    """Refused for its audience here, it is valid elsewhere."""
    try:
        return discreet(self, token)
    except TokenError:
        logging.getLogger("reference_service").info("refused %s", token)
        raise


TokenVerifier.verified = talkative
sys.exit(main())
