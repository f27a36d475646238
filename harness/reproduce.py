"""Shell commands that send a request again, with a variable in place of each secret."""

import base64
import re
import shlex
import zlib
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from harness.http_request import Request

# What curl sets by itself, and what only tells which client it was or what compression it wants.
_LEFT_OUT = frozenset(
    {"host", "content-length", "connection", "user-agent", "accept-encoding", "x-schemathesis-testcaseid"}
)
_TEXT = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f]*")


def redacted(request: Request, redact: Callable[[str], str]) -> Request:
    """``request`` with a shell variable in place of each secret."""
    return Request(
        method=request.method,
        path=redact(request.path),
        headers={name: redact(value) for name, value in request.headers.items()},
        body=None if request.body is None else redact_bytes(request.body, redact),
        further_headers=tuple((name, redact(value)) for name, value in request.further_headers),
    )


def curl(request: Request, base_url: str, *, loop_variable: str | None = None) -> str:
    """A command that sends ``request``.

    Args:
        request: Without secrets (:func:`redacted`): the variables in their place are left to the shell.
        base_url: Where to.
        loop_variable: A name whose ``${name}`` is left to the shell too.
    """
    method = ["--head"] if request.method == "HEAD" else ["-X", shlex.quote(request.method)]
    parts = ["curl", "-sS", "-i", "-g", "--path-as-is", *method]
    for name, value in (*request.headers.items(), *request.further_headers):
        if name.lower() not in _LEFT_OUT:
            # A header without a value has to be written with a semicolon, or curl leaves it out.
            parts += ["-H", _quoted(f"{name}: {value}" if value else f"{name};", loop_variable)]
    if request.body is not None and "content-type" not in {name.lower() for name in request.headers}:
        parts += ["-H", "'Content-Type:'"]
    url = _quoted(base_url + request.path, loop_variable)
    if request.body is None:
        return " ".join([*parts, url])
    text = request.body.decode("utf-8", "surrogateescape")
    if text.isprintable() or (_TEXT.fullmatch(text) and not _has_surrogate(text)):
        # Unlike --data-binary it takes a leading @ for what it is.
        return " ".join([*parts, "--data-raw", _quoted(text, loop_variable), url])
    octal = "".join(f"\\{byte:03o}" for byte in request.body)
    return " ".join([f"printf '{octal}' |", *parts, "--data-binary", "@-", url])


def replay(parts: Sequence[bytes], base_url: str, *, half_close: bool) -> str:
    """A command that sends exactly these bytes and prints the answer; each ``$GATE_…`` in them is filled in.

    Args:
        parts: Sent one after the other; secrets already replaced by their variables.
        base_url: Where to.
        half_close: Whether to end the sending side afterwards.
    """
    address = urlsplit(base_url)
    default = 443 if address.scheme == "https" else 80
    packed = [base64.b64encode(zlib.compress(part, 9)).decode() for part in parts]
    code = "; ".join(
        [
            "import base64, os, re, socket, time, zlib",
            f"s = socket.create_connection(({address.hostname!r}, {address.port or default}), 10)",
            "fill = lambda b: re.sub(rb'\\$(GATE_\\w+)', lambda m: os.environb[m[1]], b)",
            "send = lambda p: (time.sleep(0.05), s.sendall(fill(zlib.decompress(base64.b64decode(p)))))",
            f"[send(p) for p in {packed!r}]",
            *(["s.shutdown(socket.SHUT_WR)"] if half_close else []),
            "print(s.recv(65536))",
        ]
    )
    return f"python3 -c {shlex.quote(code)}"


def redact_bytes(content: bytes, redact: Callable[[str], str]) -> bytes:
    """``content`` without secrets, whatever bytes it holds otherwise."""
    return redact(content.decode("latin-1")).encode("latin-1", "replace")


def _quoted(text: str, loop_variable: str | None) -> str:
    """One shell word; only the variables of secrets and of the loop are expanded."""
    loop = rf"|\$\{{{loop_variable}\}}" if loop_variable else ""
    pieces = re.split(rf"(\$GATE_[A-Z0-9_]+{loop})", text)
    if len(pieces) == 1:
        return shlex.quote(text)
    literal = (re.sub(r'([\\"`$])', r"\\\1", piece) for piece in pieces[::2])
    woven = [part for pair in zip(literal, [*pieces[1::2], ""], strict=True) for part in pair]
    return f'"{"".join(woven)}"'


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
