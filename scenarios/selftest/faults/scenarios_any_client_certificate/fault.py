"""Is told whose certificates to demand, and demands none."""

import ssl
import sys

import reference_service.server.tls
from reference_service.__main__ import main


def demand_nothing(context, _issuers, _file, _own):
    """The connection is encrypted, which looks just as well."""
    context.verify_mode = ssl.CERT_NONE


reference_service.server.tls.require_client_certificates = demand_nothing
sys.exit(main())
