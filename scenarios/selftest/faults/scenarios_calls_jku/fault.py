"""Looks at the address in a token before it refuses it."""

import contextlib
import sys
import urllib.request

from reference_service.__main__ import main
from reference_service.access.tokens import TokenVerifier

offline = TokenVerifier._key_of


def curious(self, header):
    """What it gets there is not even used."""
    if "jku" in header:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(header["jku"], timeout=1).close()
    return offline(self, header)


TokenVerifier._key_of = curious
sys.exit(main())
