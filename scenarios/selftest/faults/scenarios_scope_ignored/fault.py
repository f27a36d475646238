"""Asks who it is, and not what they may do."""

import dataclasses
import sys

from reference_service.__main__ import main
from reference_service.access.authentication import Authenticator

by_scope = Authenticator.authenticate


def whoever_is_known(self, headers):
    """Neither the file of keys nor the claim `scope` restricts anybody."""
    return dataclasses.replace(by_scope(self, headers), scopes=frozenset({"predict", "metadata"}))


Authenticator.authenticate = whoever_is_known
sys.exit(main())
