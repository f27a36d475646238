"""Tells of the quota in the headers of the IETF draft too."""

import sys

from reference_service.__main__ import main
from reference_service.access.ratelimit import Allowance

plain = Allowance.raw_headers


def both(self):
    """Those that it always had, and RateLimit and RateLimit-Policy."""
    draft = [
        (b"ratelimit-policy", b'"default";q=%d' % self.limit),
        (b"ratelimit", b'"default";r=%d' % self.remaining),
    ]
    return [*plain(self), *draft]


Allowance.raw_headers = both
sys.exit(main())
