"""Looks whether an API key begins with one that it knows."""

import sys
from hashlib import sha256

from reference_service.__main__ import main
from reference_service.access.authentication import Authenticator, RefusedError

whole = Authenticator._by_key


def by_its_beginning(self, presented):
    """What stands behind it is not looked at."""
    try:
        return whole(self, presented)
    except RefusedError:
        known = {key.sha256 for key, _ in self._known_keys()}
        if len(presented) == 1:
            digest = sha256()
            for end, byte in enumerate(presented[0].encode("latin-1"), start=1):
                digest.update(bytes([byte]))
                if digest.hexdigest() in known:
                    return whole(self, [presented[0][:end]])
        raise


Authenticator._by_key = by_its_beginning
sys.exit(main())
