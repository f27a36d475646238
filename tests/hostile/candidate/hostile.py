"""The plain service in bad hands: ``hostile.py WAY [AT]``, on the standard library alone.

A WAY of ``ANSWERS`` takes the place of the answers AT ``ready``, at ``metadata`` or at the ``rest``; one of
``DOCUMENTS`` or ``METRICS`` that of a document; one of ``STARTS`` acts when it is started.
"""

import json
import os
import random
import signal
import socket
import sys
import threading
import time
import zlib
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import service
from http_framing import RequestRefusedError

MIB = 1024 * 1024
CANARY = os.environ.get("CANARY", "http://127.0.0.1:9")
ENGINES = ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock")
GOOD = b'{"result": {"score": 0.5, "class": 1}}'
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
WHOLE = OK + b"Content-Length: %d\r\n\r\n" % len(GOOD) + GOOD
# What a runner, a terminal, a browser and a test report would act on.
COMMANDS = (
    "::error file=a.py,line=1::owned",
    "::set-output name=verdict::promote",
    "::stop-commands::x",
    "##[command]curl evil",
    "\x1b[2J\x1b[1;1H\x1b]0;owned\x07\x1b]8;;http://evil\x07promote\x1b]8;;\x07",
    "\r\x1b[32mPROMOTE\x1b[0m  all checks passed",
    "<script>alert(1)</script>]]></system-out>",
)


def say(line):
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def head(*lines):
    return OK + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


class Caller:
    """Who asked, and where.

    Attributes:
        number: How many asked before.
    """

    asked = 0

    def __init__(self, handler):
        self.path = handler.path
        self.connection = handler.connection
        self.number, Caller.asked = Caller.asked, Caller.asked + 1

    def send(self, *pieces):
        for piece in pieces:
            self.connection.sendall(piece)

    def for_ever(self, piece):
        while True:
            self.connection.sendall(piece)

    def until_it_leaves(self):
        self.connection.settimeout(None)
        while self.connection.recv(65536):
            pass


def hangs(caller):
    caller.until_it_leaves()


def trickles(caller):
    for byte in WHOLE:
        caller.send(bytes([byte]))
        time.sleep(1)


def ten_gigabytes(caller):
    caller.send(head(b"Content-Length: 10000000000"))
    caller.for_ever(bytes(MIB))


def gzip_bomb(caller):
    """Three megabytes that unpack to three gigabytes: the same block again and again."""
    pack = zlib.compressobj(9, wbits=-15)
    block = pack.compress(bytes(MIB)) + pack.flush(zlib.Z_FULL_FLUSH)
    times = 3 * MIB // len(block)
    caller.send(
        head(b"Content-Encoding: gzip", b"Content-Length: %d" % (10 + times * len(block))),
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff",
        block * times,
    )


def endless_chunks(caller):
    caller.send(head(b"Transfer-Encoding: chunked"))
    caller.for_ever(b"1\r\nx\r\n" * 8192)


def endless_trailers(caller):
    caller.send(head(b"Transfer-Encoding: chunked"), b"1\r\nx\r\n0\r\n")
    caller.for_ever(b"X-More: " + b"x" * 1000 + b"\r\n")


def endless_headers(caller):
    caller.send(OK)
    caller.for_ever(b"X-More: " + b"x" * 1000 + b"\r\n")


def endless_interim(caller):
    caller.for_ever(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100)


def redirect(caller, location):
    statuses = (b"301 Moved", b"302 Found", b"303 See Other", b"307 Temporary", b"308 Permanent")
    status = statuses[caller.number % len(statuses)]
    caller.send(b"HTTP/1.1 %s\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, location.encode()))


def redirects_in_circles(caller):
    redirect(caller, f"{urlsplit(caller.path).path}?{caller.number}")


def redirects_elsewhere(caller):
    redirect(caller, f"{CANARY}{urlsplit(caller.path).path}")


def invalid_http(caller):
    caller.send(b"\x00\xff\x16\x03\x01 this is not HTTP\r\n" * 50)


def lies_of_its_length(caller):
    lengths = (b"3", b"1000000", b"-1", b"1\r\nContent-Length: 2", b"1e3", b"99999999999999999999999")
    caller.send(head(b"Content-Length: " + lengths[caller.number % len(lengths)]), GOOD)
    caller.until_it_leaves()


def closes_at_random(caller):
    end = random.Random(caller.number).randrange(len(WHOLE))
    caller.send(WHOLE[:end])


def many_lists(caller):
    """Three megabytes of JSON that take eighty of memory."""
    content = b"[" + b"[]," * MIB + b"[]]"
    caller.send(head(b"Content-Length: %d" % len(content)), content)


def deep_lists(caller):
    caller.send(head(b"Content-Length: %d" % (3 * MIB)), b"[" * (3 * MIB))


def forks(_caller):
    while True:
        try:
            os.fork()
        except OSError:
            time.sleep(0.01)


def eats_memory(_caller):
    hoard = []
    while True:
        hoard.append(b"x" * MIB * (1 + len(hoard) % 2))


def prints_commands(caller):
    for line in COMMANDS:
        say(line)
    text = json.dumps({"result": {"score": "\n".join(COMMANDS), "class": COMMANDS[-1]}}).encode()
    caller.send(
        b"HTTP/1.1 200 ::error::owned\r\nContent-Type: application/json\r\nX-Says: ::error::owned\r\n",
        b"Content-Length: %d\r\n\r\n" % len(text),
        text,
    )


ANSWERS = {
    each.__name__: each
    for each in (
        *(hangs, trickles, ten_gigabytes, gzip_bomb, endless_chunks, endless_trailers, endless_headers),
        *(endless_interim, redirects_in_circles, redirects_elsewhere, invalid_http, lies_of_its_length),
        *(closes_at_random, many_lists, deep_lists, forks, eats_memory, prints_commands),
    )
}


def openapi(schema, **components):
    """The service's own document with another schema of what it answers."""
    document = json.loads(service.SPEC)
    post = document["paths"]["/v2/score"]["post"]
    post["responses"]["200"]["content"]["application/json"]["schema"] = schema
    document["components"]["schemas"].update(components)
    return json.dumps(document).encode()


DOCUMENTS = {
    "openapi_of_100_mb": lambda: b'{"openapi": "3.1.0", "x": "' + b"x" * (100 * MIB) + b'"}',
    "openapi_in_circles": lambda: openapi(
        {"$ref": "#/components/schemas/A"},
        A={"allOf": [{"$ref": "#/components/schemas/B"}, {"$ref": "#/components/schemas/A"}]},
        B={"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in "AB"] + [{"type": "string"}]},
    ),
    "openapi_elsewhere": lambda: openapi({"$ref": f"{CANARY}/schema.json#/A"}),
    "openapi_of_a_file": lambda: openapi({"$ref": "file:///etc/passwd"}),
    "openapi_of_long_keys": lambda: openapi({"default": {"k" * MIB: [0] * 500_000}}),
    "openapi_of_many_names": lambda: openapi(
        {"type": "object", "properties": {f"p{number}": {} for number in range(400_000)}}
    ),
    "openapi_doubling": lambda: openapi(
        {"$ref": "#/components/schemas/S0"},
        S40={"type": "string"},
        **{f"S{n}": {"allOf": [{"$ref": f"#/components/schemas/S{n + 1}"}] * 2} for n in range(40)},
    ),
}
METRICS = {
    "metrics_of_one_line": lambda: b"x{" + b'a="",' * 600_000 + b"} 1\n",
    "metrics_of_many_lines": lambda: b"a 1\n" * 900_000,
    "metrics_beyond_a_double": lambda: b'scores_total 1e308\nscores_total{a="b"} 1e308\n',
}


class Handler(service.Handler):
    """The service's own, but for what the WAY takes."""

    def answer(self):
        path = urlsplit(self.path).path
        at = {"/livez": "ready", "/model": "metadata"}.get(path, "rest")
        try:
            if path == "/spec.json" and WAY in DOCUMENTS:
                self.document_of(DOCUMENTS[WAY]())
            elif path == "/metrics":
                self.document_of(METRICS[WAY]() if WAY in METRICS else b"scores_total 0\n")
            elif WAY in ANSWERS and at == AT:
                self.close_connection = True
                self.read_body()
                ANSWERS[WAY](Caller(self))
            elif WAY == "fills_its_disk" and at == "rest":
                self.reply(500, service.fault("full", "no space is left"), {})
            else:
                super().answer()
        except (OSError, RequestRefusedError):
            self.close_connection = True

    def document_of(self, content):
        self.read_body()
        self.reply(200, content, {})


def logs_a_gigabyte():
    def write():
        line = b"x" * 99 + b"\n"
        for _ in range(1000):
            sys.stdout.buffer.write(line * 10_000)
        sys.stdout.flush()

    threading.Thread(target=write, daemon=True).start()


def wrote(folder, most):
    """How many bytes of so many could be written into a folder, and what ended it."""
    written, number = 0, 0
    try:
        while written < most:
            with Path(folder, f"filler-{number}").open("wb") as file:
                for _ in range(64):
                    file.write(b"x" * MIB)
                    file.flush()
                    written += MIB
            number += 1
    except OSError as error:
        return written, error.strerror
    return written, "nothing ended it"


def fills_its_disk():
    for folder in ("/", "/volume", "/tmp", "/dev/shm", "/srv"):
        written, end = wrote(folder, 4096 * MIB)
        say(f"{folder}: {written} bytes, {end}")


def fills_its_root():
    """Slowly enough to be looked at; never ready before."""
    for number in range(64):
        Path(f"/{number}").mkdir()
        wrote(f"/{number}", 64 * MIB)
        time.sleep(0.2)


def is_deaf():
    """Nothing but a handler ends process 1 at SIGTERM."""
    service.signal = SimpleNamespace(signal=lambda *_: None, SIGTERM=signal.SIGTERM)


def tried(what, attempt):
    try:
        attempt()
    except OSError as error:
        say(f"{what}: {type(error).__name__}")
    else:
        say(f"{what}: REACHED")


def calls_out():
    """Tells what became of each attempt, and ends."""
    for address in filter(None, os.environ["OUTSIDE"].split()):
        host, _, port = address.rpartition(":")
        tried(address, lambda host=host, port=port: socket.create_connection((host, int(port)), 2).close())
    tried("a name", lambda: socket.getaddrinfo("example.com", 80))
    raw = (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    tried("a raw socket", lambda: socket.socket(*raw).close())
    sys.exit(3)


def reaches_for_the_engine():
    """Likewise, for the engine's socket and what else of the machine might be lying about."""
    for path in (*ENGINES, os.environ["ENGINE"]):
        with socket.socket(socket.AF_UNIX) as connection:
            tried(path, lambda path=path, connection=connection: connection.connect(path))
    for path in ("/dev/kmsg", "/dev/mem", "/dev/sda", "/dev/vda", "/sys/kernel/uevent_helper"):
        tried(path, lambda path=path: os.close(os.open(path, os.O_RDWR)))
    for path in ("/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/sys/fs/cgroup/release_agent"):
        tried(path, lambda path=path: os.close(os.open(path, os.O_WRONLY)))
    tried("another root", lambda: os.chroot("/tmp"))
    tried("the clock", lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()))
    tried("a process of the machine", lambda: os.kill(int(os.environ["PID"]), 0))
    sys.exit(3)


STARTS = {
    each.__name__: each
    for each in (
        *(logs_a_gigabyte, fills_its_disk, fills_its_root, is_deaf, calls_out, reaches_for_the_engine),
    )
}
WAY, AT = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "rest"


if __name__ == "__main__":
    if WAY not in {"sound", *ANSWERS, *DOCUMENTS, *METRICS, *STARTS}:
        sys.exit(f"no such way: {WAY}")
    service.Handler = Handler
    STARTS.get(WAY, lambda: None)()
    service.main()
