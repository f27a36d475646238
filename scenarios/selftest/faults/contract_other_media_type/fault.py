"""Who asks too often gets the same refusal under another media type, which no client was told of."""

import sys

import reference_service.api.middleware
from reference_service.__main__ import main

TOO_MANY = 429
whole = reference_service.api.middleware.error_response


def as_problem(error, request_id):
    """As a library of problem details (RFC 9457) would answer."""
    response = whole(error, request_id)
    if error.status_code == TOO_MANY:
        response.headers["Content-Type"] = "application/problem+json"
    return response


reference_service.api.middleware.error_response = as_problem
sys.exit(main())
