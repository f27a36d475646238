"""Refuses any content coding and any charset but UTF-8, before it reads the body."""

import sys

import reference_service.api.routes
from reference_service.__main__ import main
from reference_service.errors import ApiError

lenient = reference_service.api.routes.read_body


async def strict(request, model):
    """Both are for the service to decide, as long as it says so."""
    declared = request.headers.get("content-type", "").lower()
    charset = declared.partition("charset=")[2].strip(' ;"')
    if charset not in {"", "utf-8"} or request.headers.get("content-encoding", "identity") != "identity":
        raise ApiError(415, "unsupported_media_type", "the body must be plain JSON in UTF-8")
    return await lenient(request, model)


reference_service.api.routes.read_body = strict
sys.exit(main())
