"""Scores rows over http.server; nothing here is as in the reference service but HTTP and JSON."""

import hashlib
import hmac
import json
import math
import os
import signal
import sys
import threading
import time
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from http_framing import FramedHandler, RequestRefusedError

HERE = Path(__file__).resolve().parent
WEIGHTS = (HERE / "weights.json").read_bytes()
SPEC = (HERE / "contracts" / "openapi.json").read_bytes()
MOST_ROWS = 100


class Model:
    """Logistic regression in float64."""

    def __init__(self, content):
        declared = json.loads(content)
        self.name, self.version = declared["name"], declared["version"]
        self.sha256 = hashlib.sha256(content).hexdigest()
        self.intercept, self.weights, self.limit = (
            declared["intercept"],
            declared["weights"],
            declared["limit"],
        )

    def answer(self, row):
        self._check(row)
        exponent = self.intercept + math.fsum(
            weight * value for weight, value in zip(self.weights, row, strict=True)
        )
        score = 1 / (1 + math.exp(-exponent))
        return {"result": {"score": score, "class": int(score >= 0.5)}}

    def _check(self, row):
        if not isinstance(row, list) or len(row) != len(self.weights):
            raise RequestRefusedError(400, "bad_input", f"a row is an array of {len(self.weights)} numbers")
        for value in row:
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise RequestRefusedError(400, "bad_input", "a value is not a number")
            if not -self.limit <= value <= self.limit:
                raise RequestRefusedError(400, "bad_input", f"a value is not within +-{self.limit:g}")


class Callers:
    """Who may ask, and how often: a window for each token opens with its first request."""

    def __init__(self, declared):
        self._quotas = {entry["sha256"]: (entry["requests"], entry["window_s"]) for entry in declared}
        self._windows = {}
        self._lock = threading.Lock()

    def identify(self, tokens):
        """The digest of a known token."""
        if len(tokens) == 1:
            presented = hashlib.sha256(tokens[0].encode("latin-1", "replace")).hexdigest()
            for known in self._quotas:
                if hmac.compare_digest(known, presented):
                    return known
        raise RequestRefusedError(
            401, "unknown_caller", "X-Token is missing or not known", headers={"WWW-Authenticate": "Token"}
        )

    def spend(self, caller):
        """Headers that say what is left; raises RequestRefusedError when nothing was."""
        limit, window_s = self._quotas[caller]
        with self._lock:
            now = time.monotonic()
            ends, used = self._windows.get(caller, (now + window_s, 0))
            if now >= ends:
                ends, used = now + window_s, 0
            refused = used >= limit
            self._windows[caller] = (ends, used if refused else used + 1)
        left = 0 if refused else limit - used - 1
        headers = {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": str(left)}
        if refused:
            headers["Retry-After"] = str(max(1, math.ceil(ends - now)))
            raise RequestRefusedError(429, "too_many", "the quota of this token is used up", headers=headers)
        return headers


MODEL = Model(WEIGHTS)


class Handler(FramedHandler):
    """The routes."""

    callers = Callers([])
    server_version = "plain"
    sys_version = ""

    def answer(self):
        self.quota = {}
        try:
            status, content, headers = 200, self.route(self.read_body()), {}
        except RequestRefusedError as refused:
            status, headers = refused.status, refused.headers
            content = fault(refused.kind, refused.text)
            self.close_connection = self.close_connection or refused.close
        self.reply(status, content, {**self.quota, **headers})

    def __getattr__(self, name):
        # http.server looks for do_<METHOD>; an unknown method gets its 405 from the routes like any other.
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def route(self, body):
        try:
            path = urlsplit(self.path).path
        except ValueError:
            raise RequestRefusedError(400, "bad_target", "the request target is malformed") from None
        routes = {
            "/livez": ("GET", self.live),
            "/spec.json": ("GET", self.spec),
            "/model": ("GET", self.model),
            "/v2/score": ("POST", self.score_one),
            "/v2/score-many": ("POST", self.score_many),
        }
        if path not in routes:
            raise RequestRefusedError(404, "no_such_path", "there is nothing here")
        method, handle = routes[path]
        if self.command != method:
            raise RequestRefusedError(
                405, "no_such_method", f"only {method} is allowed", headers={"Allow": method}
            )
        return handle(body)

    def live(self, _body):
        return b'{"live": true}'

    def spec(self, _body):
        return SPEC

    def model(self, _body):
        self.admit()
        described = {"name": MODEL.name, "version": MODEL.version, "weights_sha256": MODEL.sha256}
        return json.dumps({"model": described}).encode()

    def score_one(self, body):
        self.admit()
        return json.dumps(MODEL.answer(self.document(body))).encode()

    def score_many(self, body):
        self.admit()
        document = self.document(body)
        if not isinstance(document, dict) or set(document) != {"rows"}:
            raise RequestRefusedError(400, "bad_input", 'the body is an object with "rows" and nothing else')
        rows = document["rows"]
        if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_ROWS:
            raise RequestRefusedError(400, "bad_input", f'"rows" is an array of 1 to {MOST_ROWS} rows')
        return json.dumps({"results": [MODEL.answer(row) for row in rows]}).encode()

    def admit(self):
        self.quota = self.callers.spend(self.callers.identify(self.headers.get_all("X-Token", [])))

    def document(self, body):
        media_type = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise RequestRefusedError(415, "bad_media_type", "the body must be application/json")
        try:
            return json.loads(body.decode("utf-8"), parse_constant=refuse, object_pairs_hook=distinct)
        except (ValueError, RecursionError):
            raise RequestRefusedError(400, "bad_json", "the body is not JSON") from None

    def send_error(self, code, message=None, _explain=None):
        """http.server found the request line or a header unreadable."""
        self.close_connection = True
        self.reply(code, fault("bad_request", message or "the request cannot be read"), {})

    def reply(self, status, content, headers):
        self.send_response_only(status)
        if self.close_connection:
            headers = {**headers, "Connection": "close"}
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        self.wfile.flush()


def fault(kind, text):
    return json.dumps({"fault": {"kind": kind, "text": text}}).encode()


def refuse(_token):
    raise ValueError("not JSON")


def distinct(pairs):
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key twice")
    return document


class Server(ThreadingHTTPServer):
    """With a queue long enough for a burst."""

    request_queue_size = 256


def main():
    declared = json.loads(Path(os.environ["SCORE_TOKENS_FILE"]).read_text())
    Handler.callers = Callers(declared["tokens"])
    address = (os.environ.get("SCORE_HOST", "0.0.0.0"), int(os.environ.get("SCORE_PORT", "9090")))
    with Server(address, Handler) as server:
        # As process 1 of a container nothing but a handler ends it on SIGTERM.
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
        sys.stdout.write(f"serving {MODEL.name} {MODEL.version} on port {server.server_address[1]}\n")
        server.serve_forever()


if __name__ == "__main__":
    main()
