"""Structured logs: one JSON object per line on standard output, never features or secrets."""

import json
import logging
import sys
import time
from typing import Any

LOGGER = logging.getLogger("reference_service")


class JsonFormatter(logging.Formatter):
    """Writes a record, and the fields given as `extra={"fields": {...}}`, as one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a traceback becomes one string in it."""
        entry: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def configure_logging(level: str) -> None:
    """Send everything, the server's own lines included, through the formatter."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
