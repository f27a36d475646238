"""What http.server leaves out of HTTP/1.1: framing of request bodies, strict headers, time limits."""

import re
from http.server import BaseHTTPRequestHandler

IDLE_S = 30.0
REQUEST_S = 4.0
MOST_BODY_BYTES = 64 * 1024
MOST_DRAINED_BYTES = 32 * 1024 * 1024
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class RequestRefusedError(Exception):
    """A request that gets an error answer; ``close`` when what follows on the connection is unknown."""

    def __init__(self, status, kind, text, *, headers=(), close=False):
        super().__init__(text)
        self.status, self.kind, self.text = status, kind, text
        self.headers, self.close = dict(headers), close


class FramedHandler(BaseHTTPRequestHandler):
    """Reads whole requests; ``reply`` answers them."""

    protocol_version = "HTTP/1.1"
    # A request line that cannot be parsed still gets a status line.
    default_request_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = IDLE_S

    def handle_one_request(self):
        try:
            if not self.rfile.peek(1):
                self.close_connection = True
                return
            self.connection.settimeout(REQUEST_S)
            super().handle_one_request()
            self.connection.settimeout(IDLE_S)
        except OSError:
            # The caller went away or took too long: there is nobody to answer.
            self.close_connection = True

    def handle_expect_100(self):
        proceed = super().handle_expect_100()
        self.wfile.flush()
        return proceed

    def read_body(self):
        """The whole body; raises RequestRefusedError when its framing or size is wrong."""
        self._check_headers()
        lengths = self.headers.get_all("Content-Length", [])
        codings = self.headers.get_all("Transfer-Encoding", [])
        if codings:
            if lengths or [coding.strip().lower() for coding in codings] != ["chunked"]:
                raise RequestRefusedError(400, "bad_framing", "unknown or ambiguous body framing", close=True)
            return self._read_chunks()
        if not lengths:
            return b""
        if len(lengths) > 1 or not re.fullmatch(r"[0-9]{1,18}", lengths[0]):
            raise RequestRefusedError(
                400, "bad_framing", "Content-Length is not one whole number", close=True
            )
        length = int(lengths[0])
        if length > MOST_BODY_BYTES:
            # Read what was sent, or the answer could be lost in a connection reset.
            self._drain(min(length, MOST_DRAINED_BYTES))
            raise RequestRefusedError(
                413, "too_large", f"the body exceeds {MOST_BODY_BYTES} bytes", close=True
            )
        return self._read_exactly(length)

    def _check_headers(self):
        names = self.headers.keys()
        if self.headers.defects or self.headers.get_payload() or not all(map(TOKEN.fullmatch, names)):
            raise RequestRefusedError(400, "bad_header", "a header line is malformed", close=True)
        hosts = self.headers.get_all("Host", [])
        if len(hosts) > 1 or (self.request_version == "HTTP/1.1" and not hosts):
            raise RequestRefusedError(400, "bad_header", "one Host header is required", close=True)

    def _read_exactly(self, length):
        body = self.rfile.read(length)
        if len(body) != length:
            raise RequestRefusedError(
                400, "bad_framing", "the body is shorter than its Content-Length", close=True
            )
        return body

    def _drain(self, length):
        while length > 0 and (part := self.rfile.read(min(length, 65536))):
            length -= len(part)

    def _read_chunks(self):
        body = bytearray()
        while True:
            line = self.rfile.readline(1024)
            size = re.fullmatch(rb"([0-9A-Fa-f]{1,8})[ \t]*(;[^\r\n]*)?\r\n", line)
            if size is None:
                raise RequestRefusedError(400, "bad_framing", "a chunk's size is malformed", close=True)
            length = int(size[1], 16)
            if length == 0:
                break
            if len(body) + length > MOST_BODY_BYTES:
                raise RequestRefusedError(
                    413, "too_large", f"the body exceeds {MOST_BODY_BYTES} bytes", close=True
                )
            body += self._read_exactly(length)
            if self.rfile.read(2) != b"\r\n":
                raise RequestRefusedError(400, "bad_framing", "a chunk has no end", close=True)
        for _ in range(100):
            line = self.rfile.readline(8192)
            if line in (b"\r\n", b""):
                return bytes(body)
        raise RequestRefusedError(400, "bad_framing", "too many trailers", close=True)
