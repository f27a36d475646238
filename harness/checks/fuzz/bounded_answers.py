"""Answers to generated requests, read no further than a size and a time.

Requests, which Schemathesis sends with, limits the wait for each piece and nothing of the whole: a body
without end, or a few kilobytes that unpack to gigabytes, would cost the worker all its memory and its run.
"""

import time
from functools import partial
from typing import Any

import requests.sessions
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ReadTimeout
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError, ReadTimeoutError

MOST_BYTES = 4 * 1024 * 1024
PIECE_BYTES = 64 * 1024
WITHOUT_END = "text/event-stream"
"""Schemathesis reads these itself, up to a time."""


def bound_answers(timeout_s: float) -> None:
    """From now on, in this process: sessions have no setting that Schemathesis would hand on."""
    vars(requests.sessions)["HTTPAdapter"] = partial(BoundedAdapter, timeout_s)


class BoundedAdapter(HTTPAdapter):
    """Reads the whole answer at once.

    Args:
        timeout_s: From sending to its end.
    """

    def __init__(self, timeout_s: float) -> None:
        super().__init__()
        self._timeout_s = timeout_s

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """As the base.

        Raises:
            requests.RequestException: no answer, or not in time, or one that is too long.
        """
        give_up = time.monotonic() + self._timeout_s
        response = super().send(request, *args, **kwargs)
        if WITHOUT_END in response.headers.get("Content-Type", "").lower():
            return response
        try:
            response._content = _read(response.raw, give_up)  # noqa: SLF001 - as Schemathesis does; it has no setter
        except (ReadTimeoutError, TimeoutError) as error:
            raise ReadTimeout("no whole answer in time", request=request) from error
        except (HTTPError, ValueError) as error:
            raise ChunkedEncodingError(str(error), request=request) from error
        finally:
            # What is whole has been given back to the pool already; of anything else nothing is left to read.
            response.raw.close()
        response._content_consumed = True  # noqa: SLF001 - as above
        return response


def _read(raw: BaseHTTPResponse, give_up: float) -> bytes:
    """The body, unpacked.

    Raises:
        TimeoutError: it is not whole in time.
        ValueError: it is too long.
        HTTPError: it is none.
    """
    body = bytearray()
    while piece := raw.read1(PIECE_BYTES, decode_content=True):
        body += piece
        if len(body) > MOST_BYTES:
            raise ValueError(f"an answer of more than {MOST_BYTES} bytes")
        if time.monotonic() > give_up:
            raise TimeoutError
    return bytes(body)
