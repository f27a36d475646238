"""Writes its log as words and pairs in place of JSON; a request's line has its id, once."""

import logging
import sys

from reference_service.__main__ import main
from reference_service.telemetry.logs import JsonFormatter


def as_pairs(_self, record):
    """Like a line of logfmt."""
    pairs = {
        "level": record.levelname.lower(),
        "message": record.getMessage(),
        **getattr(record, "fields", {}),
    }
    if record.exc_info:
        pairs["traceback"] = logging.Formatter().formatException(record.exc_info)
    return " ".join(f"{name}={str(value)!r}" for name, value in pairs.items())


JsonFormatter.format = as_pairs
sys.exit(main())
