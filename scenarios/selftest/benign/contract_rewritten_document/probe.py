"""Its document refers to no schemas, and says allOf where the healthy one's refers."""

import httpx
from probing import given, prove


def shows(client: httpx.Client) -> bool:
    """As text: a reference anywhere in it."""
    document = client.get("/openapi.json").raise_for_status().text
    return '"$ref"' not in document and '"allOf"' in document


prove(given(), shows, "the OpenAPI document has no references")
