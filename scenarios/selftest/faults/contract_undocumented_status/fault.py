"""A body that is too long is refused with 400 where the document has 413, and no 400."""

import sys

import reference_service.api.middleware
from reference_service.__main__ import main
from reference_service.errors import ApiError

limited = reference_service.api.middleware.BodyLimit.__call__


async def refused_otherwise(self, scope, receive, send):
    """Of requests that need no body; the others are refused as ever."""
    if scope["type"] == "http" and scope["method"] == "GET":
        self._refused = lambda: ApiError(400, "body_too_large", "the body is too long")
    else:
        self.__dict__.pop("_refused", None)
    await limited(self, scope, receive, send)


reference_service.api.middleware.BodyLimit.__call__ = refused_otherwise
sys.exit(main())
