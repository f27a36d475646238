"""Speaks TLS 1.0 to clients that know nothing newer."""

import ssl
import sys
import warnings

from reference_service.__main__ import main
from reference_service.server import tls

demanding = tls.require_client_certificates


def lenient(context, *others):
    """As it did ten years ago."""
    demanding(context, *others)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1


tls.CIPHERS = "ALL:@SECLEVEL=0"
tls.require_client_certificates = lenient
sys.exit(main())
