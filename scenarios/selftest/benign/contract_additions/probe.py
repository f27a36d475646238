"""It has an endpoint, and a member in an answer, that the healthy one has not; its document has both."""

import httpx
from probing import given, prove


def shows(client: httpx.Client) -> bool:
    """All of it, or nothing."""
    document = client.get("/openapi.json").raise_for_status().json()
    documented = "/version" in document["paths"]
    noted = "note" in document["components"]["schemas"]["HealthResponse"]["properties"]
    health = client.get("/health").raise_for_status().json()
    return documented and noted and "note" in health and client.get("/version").status_code == httpx.codes.OK


prove(given(), shows, "/version is answered and /health has a note, and both are documented")
