"""An answer for a client that shows no certificate."""

import httpx
from probing import differs, given

told = given()


def serves(base_url):
    """Ask without one; whose certificate the service itself has is not the question."""
    with told.client(base_url, verify=False) as client:
        try:
            return client.get("/health").status_code == 200
        except httpx.TransportError:
            return False


differs(serves(told.base_url), serves(told.healthy_url), "a client without a certificate is served")
