"""A service of a few lines on the standard library, with doors to what it may and may not do.

``POST /predict`` doubles ``x``. The first argument chooses a way to misbehave from the start.
"""

import json
import os
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

FACTOR = int(os.environ.get("FACTOR", "2"))
HELD = []


def say(line):
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def predict(question):
    return {"y": FACTOR * question["x"]}


def die(_question):
    say("last words of the tiny service")
    os._exit(17)


def eat(_question):
    hoard = []
    while True:
        hoard.append(bytearray(b"x" * 16 * 1024 * 1024))


def hold(question):
    HELD.append(b"x" * int(question["bytes"]))
    return {"held": len(HELD)}


def spin(question):
    """Use so much CPU time in this thread, whatever it takes."""
    started = time.thread_time()
    while time.thread_time() - started < float(question["cpu_s"]):
        pass
    return {"used_s": time.thread_time() - started}


def fork_and_spin(question):
    child = os.fork()
    if not child:
        spin(question)
        os._exit(0)
    os.waitpid(child, 0)
    return {}


def connect(question):
    try:
        with socket.create_connection((question["host"], int(question["port"])), timeout=2):
            return {"result": "connected"}
    except OSError as error:
        return {"result": type(error).__name__}


def read(question):
    try:
        return {"text": Path(question["path"]).read_text()}
    except OSError as error:
        return {"error": error.strerror}


def write(question):
    try:
        Path(question["path"]).write_text("written")
    except OSError as error:
        return {"error": error.strerror}
    return {"error": None}


def threads(question):
    release = threading.Event()
    started = 0
    try:
        for _ in range(int(question["count"])):
            threading.Thread(target=release.wait, daemon=True).start()
            started += 1
    except RuntimeError:
        pass
    release.set()
    return {"started": started}


def status(_question):
    lines = Path("/proc/self/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


DOORS = {
    "/predict": predict,
    "/die": die,
    "/eat": eat,
    "/connect": connect,
    "/read": read,
    "/write": write,
    "/hold": hold,
    "/spin": spin,
    "/fork-and-spin": fork_and_spin,
    "/threads": threads,
    "/status": status,
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urlsplit(self.path)
        if url.path == "/ready":
            self.answer({"ready": True})
        elif url.path in DOORS:
            self.answer(DOORS[url.path](dict(parse_qsl(url.query))))
        else:
            self.answer({"error": "no such path"}, 404)

    def do_POST(self):
        question = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
        if os.environ.get("DIES_AT") == str(question["x"]):
            die(question)
        time.sleep(float(os.environ.get("SLOW_S", "0")))
        self.answer(predict(question))

    def answer(self, document, code=200):
        body = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


def serve(port):
    say("serving")
    ThreadingHTTPServer(("0.0.0.0", port), Handler).serve_forever()


def answer_garbage(port):
    with socket.create_server(("0.0.0.0", port)) as server:
        while True:
            caller, _ = server.accept()
            with caller:
                caller.recv(4096)
                caller.sendall(b"\x00\xff this is not HTTP\r\n" * 20)


def main():
    port = int(os.environ.get("PORT", "8080"))
    match sys.argv[1:]:
        case []:
            serve(port)
        case ["exit"]:
            say("no model file at /model.onnx")
            sys.exit(3)
        case ["never-ready"]:
            say("still loading")
            time.sleep(600)
        case ["other-port"]:
            serve(port + 1)
        case ["garbage"]:
            answer_garbage(port)
        case ["deaf"]:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            serve(port)
        case ["eat"]:
            eat(None)


main()
