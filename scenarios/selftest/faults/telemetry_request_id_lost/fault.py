"""Logs requests under an id of the log's own, not the one that the client was told."""

import logging
import secrets
import sys

from reference_service.__main__ import main

handle = logging.Logger.handle


def renumbered(self, record):
    """Nobody finds a request's line by its id."""
    fields = getattr(record, "fields", None)
    if fields and "request_id" in fields:
        record.fields = {**fields, "request_id": secrets.token_hex(16)}
    handle(self, record)


logging.Logger.handle = renumbered
sys.exit(main())
