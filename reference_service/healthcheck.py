"""`python -m reference_service.healthcheck`: exit 0 if the service beside it answers its sample."""

import http.client
import os
import ssl
import sys
from collections.abc import Mapping
from pathlib import Path

TIMEOUT_S = 2.0
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # a wildcard is no address to ask
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def healthy(port: int, environ: Mapping[str, str] = os.environ) -> bool:
    """Ask /health where the service listens, by TLS if its settings in the environment say so.

    Why the answer is no is told on standard error.
    """
    host = environ.get("SERVICE_HOST") or "0.0.0.0"  # noqa: S104  # the service's default, asked by loopback
    host = LOOPBACK.get(host, host)
    try:
        context = pinned_context(environ)
        connection = (
            http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=context)
            if context
            else http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        )
    except (OSError, ValueError) as error:
        return _unhealthy(f"SERVICE_TLS_CERT_FILE, SERVICE_TLS_KEY_FILE: {error}")
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            return _unhealthy(f"/health of {host}:{port} is answered {answer.status}")
    except (OSError, http.client.HTTPException) as error:
        return _unhealthy(f"{'https' if context else 'http'}://{host}:{port}: {error!r}")
    else:
        return True
    finally:
        connection.close()


def _unhealthy(reason: str) -> bool:
    """Tell why, on standard error."""
    sys.stderr.write(f"{reason}\n")
    return False


def pinned_context(environ: Mapping[str, str]) -> ssl.SSLContext | None:
    """Trust the service's own certificate alone, whatever names it has; None for plain text.

    Where clients need a certificate, this one presents the service's, which the service accepts.
    """
    cert_file, key_file = environ.get("SERVICE_TLS_CERT_FILE"), environ.get("SERVICE_TLS_KEY_FILE")
    if not cert_file:
        return None
    first = Path(cert_file).read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=ssl.PEM_cert_to_DER_cert(f"{BEGIN}{first}{END}"))
    if environ.get("SERVICE_TLS_CLIENT_CA_FILE"):
        context.load_cert_chain(cert_file, key_file)
    return context


if __name__ == "__main__":
    sys.exit(0 if healthy(int(os.environ.get("SERVICE_PORT") or "8000")) else 1)
