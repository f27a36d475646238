"""How far a handshake gets that offers nothing newer than TLS 1.0."""

import socket
import ssl
import warnings

import httpx
from probing import TIMEOUT_S, differs, given

told = given()


def speaks(base_url):
    """Trust nobody, and it ends at the service's certificate: so far it gets with a version in common."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    url = httpx.URL(base_url)
    with socket.create_connection((url.host, url.port), TIMEOUT_S) as plain:
        try:
            context.wrap_socket(plain, server_hostname=url.host).close()
        except ssl.SSLCertVerificationError:
            return True
        except OSError:
            return False
    raise AssertionError(f"{base_url} was trusted")


differs(speaks(told.base_url), speaks(told.healthy_url), "TLS 1.0 is spoken")
