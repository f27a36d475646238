"""Refuses in other words, and says more of how to authenticate."""

import sys

from reference_service.__main__ import main
from reference_service.access import authentication
from reference_service.access.authentication import RefusedError

blunt = RefusedError.__init__


def polite(self, message, challenge, **told):
    """The status and the code stay; the message is for people."""
    blunt(self, f"Sorry, {message}: ask your administrator.", challenge, **told)


authentication.CHALLENGE = (
    'Bearer realm="scoring", scope="predict metadata", ApiKey realm="scoring", charset="UTF-8"'
)
authentication.INVALID_TOKEN = (
    'Bearer realm="scoring", error="invalid_token", error_description="The token has expired", '
    'scope="predict metadata"'
)
RefusedError.__init__ = polite
sys.exit(main())
