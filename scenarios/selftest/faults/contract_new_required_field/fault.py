"""The served document demands a field that callers of the frozen contract do not send."""

import sys

import reference_service.app
from reference_service.__main__ import main

whole = reference_service.app.document


def with_field(app, models):
    """As a release that adds tenants would."""
    openapi = whole(app, models)
    schema = openapi["components"]["schemas"]["PredictRequest"]
    schema["properties"]["tenant"] = {"type": "string"}
    schema["required"] = [*schema["required"], "tenant"]
    return openapi


reference_service.app.document = with_field
sys.exit(main())
