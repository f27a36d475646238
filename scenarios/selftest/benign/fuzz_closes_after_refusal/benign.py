"""Closes the connection after every refusal, and says why in other words."""

import sys

import reference_service.api.errors
from reference_service.__main__ import main

written = reference_service.api.errors.ErrorAnswer.__init__


def closing(self, detail, *, status, headers):
    """A server may close after any answer (RFC 9112, section 9.6); the message is for people."""
    polite = detail.model_copy(update={"message": f"Sorry: {detail.message}."})
    written(self, polite, status=status, headers={**(headers or {}), "Connection": "close"})


reference_service.api.errors.ErrorAnswer.__init__ = closing
sys.exit(main())
