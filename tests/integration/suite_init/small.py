"""A small scoring service with a document, and a key where it is given one: the reader's of the pages."""

import json
import os
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = os.environ.get("API_KEY", "")
BIAS = float(os.environ.get("BIAS", "0"))
VALUES = {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3}


def of_object(**properties):
    return {"type": "object", "properties": properties, "required": list(properties)}


def answered(schema):
    return {"description": "OK", "content": {"application/json": {"schema": schema}}}


SCORED = of_object(score={"type": "number"}, label={"type": "string"}, request_id={"type": "string"})
BODY = {"required": True, "content": {"application/json": {"schema": of_object(values=VALUES)}}}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "my-service", "version": "2.1.0"},
    "paths": {
        "/predict": {"post": {"requestBody": BODY, "responses": {"200": answered(SCORED)}}},
        "/ready": {"get": {"responses": {"200": answered({"type": "object"})}}},
    },
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        known = {"/ready": {"ready": True}, "/openapi.json": DOCUMENT}
        self.answer(200 if self.path in known else 404, known.get(self.path, {}))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if KEY and self.headers.get("X-API-Key") != KEY:
            self.answer(401, {"error": "who asks?"})
            return
        try:
            first, second, third = json.loads(body)["values"]
            score = first - 0.5 * second + 0.25 * third + BIAS
        except (ValueError, KeyError, TypeError):
            self.answer(422, {"error": "three values are needed"})
            return
        label = "high" if score > 0 else "low"
        self.answer(200, {"score": score, "label": label, "request_id": str(uuid.uuid4())})

    def answer(self, status, document):
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_arguments):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 256


Server((os.environ.get("HOST", "0.0.0.0"), int(os.environ.get("PORT", "8000"))), Handler).serve_forever()
