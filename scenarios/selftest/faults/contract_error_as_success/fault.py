"""Answers 200 where it refuses a model version; only the body says that it is an error."""

import sys

import reference_service.api.dispatch
from reference_service.__main__ import main

CONFLICT, OK = 409, 200
whole = reference_service.api.dispatch.error_response


def successful(error, request_id):
    """As a service behind a gateway that takes any other status for its own failure."""
    response = whole(error, request_id)
    if response.status_code == CONFLICT:
        response.status_code = OK
    return response


reference_service.api.dispatch.error_response = successful
sys.exit(main())
