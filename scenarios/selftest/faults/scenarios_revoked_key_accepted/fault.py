"""Looks when an API key is valid, and not whether it was taken back."""

import sys

from reference_service.__main__ import main
from reference_service.access.apikeys import ApiKey

refusal = ApiKey.refusal


def by_its_time(self, now):
    """Not yet valid and expired are still refused."""
    reason = refusal(self, now)
    return None if reason == "revoked" else reason


ApiKey.refusal = by_its_time
sys.exit(main())
