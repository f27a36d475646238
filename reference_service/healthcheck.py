"""`python -m reference_service.healthcheck`: exit 0 if the service beside it answers its sample."""

import http.client
import os
import sys

TIMEOUT_S = 2.0


def healthy(port: int) -> bool:
    """Ask /health on the loopback address."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if healthy(int(os.environ.get("SERVICE_PORT") or "8000")) else 1)
