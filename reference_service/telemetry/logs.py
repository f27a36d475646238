"""Structured logs: one JSON object per line on standard output, never features or secrets."""

import json
import logging
import select
import sys
import threading
import time
from collections import deque
from functools import lru_cache
from typing import Any, TextIO

from pydantic_core import PydanticSerializationError, to_json

LOGGER = logging.getLogger("reference_service")
REQUEST_LINE = vars(logging.LogRecord(LOGGER.name, logging.INFO, "", 0, "request", None, None))
MAX_WAITING_LINES = 10_000
GATHER_S = 0.02
EXIT_TIMEOUT_S = 2


def encode(entry: dict[str, Any]) -> str:
    """Write JSON in ASCII: nothing in a value can end the line or reach a terminal as a control character."""
    try:
        line = to_json(entry, ensure_ascii=True, fallback=str).decode("ascii")
        return line.replace("\x7f", "\\u007f")  # the one control character that it leaves
    except PydanticSerializationError:  # a lone surrogate, which only the slower encoder writes
        return json.dumps(entry, default=str)


@lru_cache(maxsize=1)
def _second(epoch_s: int) -> str:
    """Write a time in UTC; the many lines of one second share it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(epoch_s))


def request_line(fields: dict[str, Any]) -> logging.LogRecord:
    """Make the record of one request, of which only time and fields are its own: the rest is made once."""
    record = logging.LogRecord.__new__(logging.LogRecord)
    created = time.time()
    record.__dict__ = {**REQUEST_LINE, "created": created, "msecs": created % 1 * 1000, "fields": fields}
    return record


class JsonFormatter(logging.Formatter):
    """Writes a record, and the fields given as `extra={"fields": {...}}`, as one line.

    Args:
        pid: Of a worker, of which there are several; None: lines name no process.
    """

    def __init__(self, *, pid: int | None = None) -> None:
        super().__init__()
        self._process = {} if pid is None else {"pid": pid}

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a traceback becomes one string in it."""
        entry: dict[str, Any] = {
            "time": f"{_second(int(record.created))}.{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self._process,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return encode(entry)


class BackgroundHandler(logging.Handler):
    """Leaves the writing to a thread, many lines at a time: a reader that stalls must not stall the service.

    With `MAX_WAITING_LINES` unwritten, further ones are dropped; a line tells how many once there is room.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: deque[str] = deque()
        self._dropped = 0
        self._any = threading.Event()
        self._writing = threading.Lock()
        self._open = True
        threading.Thread(target=self._write_on, name="log-writer", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record; the caller holds the handler's lock."""
        if len(self._lines) >= MAX_WAITING_LINES:
            self._dropped += 1
            return
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self._lines.append(self.format(_dropped_lines(dropped)))
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001  # whatever a caller's arguments raise: to log must harm no caller
            self.handleError(record)
            return
        self._lines.append(line)
        if not self._any.is_set():
            self._any.set()

    def flush(self) -> None:
        """Write what waits, unless the reader stalls; `logging` calls this at exit."""
        if not self._writing.acquire(timeout=EXIT_TIMEOUT_S):
            return
        try:
            while chunk := next_chunk(self._lines):
                self._stream.write(chunk)
                self._stream.flush()
        except OSError:  # nobody reads any more
            self._lines.clear()
        finally:
            self._writing.release()

    def close(self) -> None:
        """Write what waits and end the thread."""
        self.flush()
        self._open = False
        self._any.set()
        super().close()

    def _write_on(self) -> None:
        while self._open:
            self._any.wait()
            time.sleep(GATHER_S)
            self._any.clear()
            self.flush()


def next_chunk(lines: deque[str]) -> str:
    """Take as many lines as a pipe takes whole, at least one: those of several workers must not mix."""
    chunk = ""
    while lines and (not chunk or len(chunk) + len(lines[0]) < select.PIPE_BUF):
        chunk += lines.popleft() + "\n"
    return chunk


def configure_logging(level: str, *, pid: int | None = None) -> None:
    """Send everything, the server's own lines included, through the formatter; see there for `pid`."""
    # What no line tells need not be found out (Logging HOWTO, "Optimization").
    logging.logThreads = logging.logMultiprocessing = logging.logProcesses = False
    logging._srcfile = None  # noqa: SLF001  # the same, for the calling line
    handler = BackgroundHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(pid=pid))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def _dropped_lines(count: int) -> logging.LogRecord:
    record = logging.LogRecord(LOGGER.name, logging.WARNING, "", 0, "log lines dropped", (), None)
    record.fields = {"dropped": count}
    return record
