"""Runs the model while it is still being decided who asks."""

import sys

from starlette.datastructures import Headers

from reference_service.__main__ import main
from reference_service.access.authentication import Principal
from reference_service.api.middleware import Access
from reference_service.errors import ApiError

ANYONE = Principal(identity="anyone", scopes=frozenset({"predict"}))
access_first = Access.__call__


async def model_first(self, scope, receive, send):
    """Whoever is not known gets the same refusal, after an inference whose answer is dropped."""
    if scope.get("path") == "/predict":
        try:
            self._authenticator.authenticate(Headers(scope=scope))
        except ApiError:
            await self.app({**scope, "principal": ANYONE}, receive, nowhere)
    await access_first(self, scope, receive, send)


async def nowhere(_message):
    """Nobody gets it."""


Access.__call__ = model_first
sys.exit(main())
