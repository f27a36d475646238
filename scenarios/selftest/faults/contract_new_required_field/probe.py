"""The document requires a ``tenant``."""

from probing import answered, given, prove


def shows(client):
    """By the document."""
    schemas = answered(client.get("/openapi.json"))["components"]["schemas"]
    return "tenant" in schemas["PredictRequest"]["required"]


prove(given(), shows, "the document requires a tenant")
