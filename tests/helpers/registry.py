"""A registry that takes what an engine pushes and has it by digest: as much of the protocol as that needs."""

import hashlib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

CHUNK_BYTES = 1 << 20


class _Registry(BaseHTTPRequestHandler):
    """``/v2/`` of the OCI distribution specification: blobs are hashed and forgotten, manifests kept."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self._answer(200 if self.path.rpartition("/")[2] in self.server.digests else 404)

    def do_GET(self):
        self._answer(200 if self.path == "/v2/" else 404)

    def do_POST(self):
        self._answer(202, Location=f"{self.path}{uuid4().hex}")

    def do_PATCH(self):
        upload, size = self.server.uploads.setdefault(self.path, hashlib.sha256()), 0
        for chunk in self._body():
            upload.update(chunk)
            size += len(chunk)
        self._answer(202, Location=self.path, Range=f"0-{size - 1}")  # an upload comes in one piece

    def do_PUT(self):
        where = urlsplit(self.path)
        sha256 = self.server.uploads.pop(where.path, hashlib.sha256())
        for chunk in self._body():
            sha256.update(chunk)
        digest = f"sha256:{sha256.hexdigest()}"
        if parse_qs(where.query).get("digest", [digest]) != [digest]:
            self._answer(400)
            return
        self.server.digests.add(digest)
        self._answer(201, **{"Location": where.path, "Docker-Content-Digest": digest})

    def log_message(self, *_):
        """Nothing: stderr is the test's."""

    def _body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        left = int(self.headers.get("Content-Length", 0))
        while left and (chunk := self.rfile.read(min(left, CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk

    def _answer(self, status, **headers):
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()


@contextmanager
def registry():
    """Serves on loopback, which engines trust without TLS; gives its ``host:port``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Registry)
    server.uploads, server.digests = {}, set()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
