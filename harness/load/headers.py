"""Headers of an answer, so long and no longer. Importing this does not patch the process."""

from geventhttpclient.header import Headers
from geventhttpclient.response import HTTPParseError

MOST_CHARS = 100 * 1024
"""Of names and values, as httpx takes them."""


class BoundedHeaders(Headers):
    """Headers of which a client keeps no endless number, whether before the answer, in it or after it.

    Raises:
        HTTPParseError: More than `MOST_CHARS` were added.
    """

    _chars = 0

    def add(self, field: str, value: str | list[str] | tuple[str, ...]) -> None:
        """Add a line, also of trailers and of interim answers; several come back one by one."""
        if isinstance(value, str):
            self._chars += len(field) + len(value)
        if self._chars > MOST_CHARS:
            raise HTTPParseError(f"more than {MOST_CHARS} characters of headers")
        super().add(field, value)
