"""A body that is too long is refused with 400 on a GET."""

import http.client

from probing import TIMEOUT_S, given, prove

TOO_LONG_BYTES = 1_048_577
TOLD = given()


def shows(client):
    """By a length that is declared: no body need follow."""
    connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port, timeout=TIMEOUT_S)
    headers = {**TOLD.headers["api_key"], "Content-Length": str(TOO_LONG_BYTES)}
    try:
        connection.request("GET", "/metadata", headers=headers)
        return connection.getresponse().status == 400
    finally:
        connection.close()


prove(TOLD, shows, "a GET with too long a body is refused with 400")
