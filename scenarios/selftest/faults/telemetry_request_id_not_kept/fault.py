"""Makes an id for each request, also where the client sent one."""

import secrets
import sys

from reference_service.__main__ import main
from reference_service.api import middleware

middleware._request_id = lambda _scope: secrets.token_hex(middleware.REQUEST_ID_BYTES)
sys.exit(main())
