"""Parses and validates a body before it knows whose it is."""

import sys

from fastapi import Request
from starlette.datastructures import Headers

import reference_service.app
from reference_service.__main__ import main
from reference_service.api.errors import error_response
from reference_service.api.middleware import Access
from reference_service.api.routes import read_body
from reference_service.errors import ApiError

MODELS = {}
made = reference_service.app.request_models
access_first = Access.__call__


def kept(manifest, *, max_batch):
    """The models of the bodies, by path."""
    models = made(manifest, max_batch=max_batch)
    MODELS.update({"/predict": models.predict, "/predict/batch": models.batch})
    return models


async def body_first(self, scope, receive, send):
    """For whoever is known the order makes no difference."""
    model = MODELS.get(scope.get("path"))
    if model is not None and scope["method"] == "POST":
        try:
            self._authenticator.authenticate(Headers(scope=scope))
        except ApiError:
            try:
                await read_body(Request(scope, receive), model)
            except ApiError as refusal:
                await error_response(refusal, scope["request_id"])(scope, receive, send)
                return
    await access_first(self, scope, receive, send)


reference_service.app.request_models = kept
Access.__call__ = body_first
sys.exit(main())
