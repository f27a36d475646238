"""The document allows to ask for metadata with nothing."""

from probing import answered, given, prove


def shows(client):
    """By the document."""
    return {} in answered(client.get("/openapi.json"))["paths"]["/metadata"]["get"]["security"]


prove(given(), shows, "the document lets anybody ask for metadata")
