"""A service that says nothing of itself: one POST on http.server, no document, no readiness path."""

import json
import random
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length", "0"))
        try:
            values = json.loads(self.rfile.read(length))["values"]
            mean = sum(values) / len(values)
        except (ValueError, KeyError, TypeError):
            self.send_error(400)
            return
        answer = {
            "mean": mean * (1 + random.uniform(0, 1e-9)),
            "sign": "negative" if mean < 0 else "not negative",
            "took_ms": random.random(),
            "trace": f"{random.random()}\n[evil]\x1b[31m",
        }
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments):
        pass


HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
