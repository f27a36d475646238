"""Writes HTTP messages byte by byte, from one valid request."""

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.http_request import Request

BOMB_BYTES = 16 * 1024 * 1024
PAUSE_S = 0.05
BLOCK = b" " * (1024 * 1024)


@dataclass(frozen=True)
class Payload:
    """Bytes to send.

    Attributes:
        parts: Sent one after the other.
        pause_s: Between two parts.
        half_close: Whether to end the sending side afterwards, as a client that broke off does.
        abort: Whether to reset the connection instead of waiting for an answer.
        answers: How many responses have to come.
        times: How often it is sent, each time on a connection of its own, as long as the answers are right.
        senders: How many connections send the first part and then wait until the valid request that another
            client sends is answered; 0 for one connection that does not wait.
        plain: The same as a request that any client can send, None where none can.
    """

    parts: tuple[bytes, ...]
    pause_s: float = 0.0
    half_close: bool = False
    abort: bool = False
    answers: int = 1
    times: int = 1
    senders: int = 0
    plain: Request | None = None

    @property
    def size_bytes(self) -> int:
        """Of all parts."""
        return sum(map(len, self.parts))


@dataclass(frozen=True)
class Valid:
    """The valid request, from which every message is made.

    Attributes:
        request: Complete; its body is JSON where it has one.
        host: For the Host header.
        base_path: Of the service's URL; goes before every target, but not into what curl is told.
        largest_body_bytes: As the suite declares it.
    """

    request: Request
    host: str
    base_path: str = ""
    largest_body_bytes: int | None = None

    @property
    def body(self) -> bytes:
        """The valid body, empty where there is none."""
        return self.request.body or b""

    def head(
        self,
        changed: Mapping[str, str | None],
        *,
        method: str = "",
        target: str = "",
        version: str = "HTTP/1.1",
    ) -> bytes:
        """Request line and headers, with the length of the valid body; a header of None is left out."""
        headers: dict[str, str | None] = {"Host": self.host, "Connection": "close", **self.request.headers}
        if self.body:
            headers["Content-Length"] = str(len(self.body))
        headers = _replaced(headers, changed)
        lines = [f"{method or self.request.method} {self.base_path}{target or self.request.path} {version}"]
        lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def carrying(self, body: bytes, changed: Mapping[str, str | None] | None = None) -> Payload:
        """A well-formed message with this body."""
        other = changed or {}
        headers = _replaced(self.request.headers, other)
        plain_headers = {name: value for name, value in headers.items() if value is not None}
        plain = Request(self.request.method, self.request.path, plain_headers, body)
        return Payload((self.head({"Content-Length": str(len(body)), **other}) + body,), plain=plain)


def _replaced(headers: Mapping[str, str | None], changed: Mapping[str, str | None]) -> dict[str, str | None]:
    """``headers`` with others in the place of those of the same name, in any case."""
    names = {name.lower() for name in changed}
    return {name: value for name, value in headers.items() if name.lower() not in names} | dict(changed)


Compose = Callable[[Valid], Payload | None]
"""Makes the bytes of a case; None where the valid request has nothing for it to malform."""


def as_it_is(valid: Valid) -> Payload:
    """The valid request."""
    return valid.carrying(valid.body) if valid.body else Payload((valid.head({}),), plain=valid.request)


def body(make: Callable[[bytes], bytes]) -> Compose:
    """What ``make`` makes of the valid body, in a good message."""
    return lambda valid: valid.carrying(make(valid.body)) if valid.body else None


def number(token: bytes, *, fraction: bool = False) -> Compose:
    """The valid body with ``token`` for its first number, or only for one with a fraction."""

    def compose(valid: Valid) -> Payload | None:
        if not valid.body:
            return None
        marked, found = _marked(json.loads(valid.body), fraction=fraction)
        if not found:
            return None
        text = json.dumps(marked, separators=(",", ":")).encode()
        return valid.carrying(text.replace(json.dumps(_MARK).encode(), token))

    return compose


def outgrown(valid: Valid, length_bytes: int) -> Payload:
    """The valid body with spaces after it up to ``length_bytes``, in blocks that share their memory."""
    spaces = length_bytes - len(valid.body)
    blocks, rest = divmod(spaces, len(BLOCK))
    head = valid.head({"Content-Length": str(length_bytes)})
    return Payload((head + valid.body, *(BLOCK,) * blocks, BLOCK[:rest]))


def beyond_declared(length_bytes: int) -> Compose:
    """A body of ``length_bytes``, where less is declared to be the most."""

    def compose(valid: Valid) -> Payload | None:
        declared = valid.largest_body_bytes
        return outgrown(valid, length_bytes) if valid.body and declared and declared < length_bytes else None

    return compose


def undeclared(length_bytes: int) -> Compose:
    """A body of ``length_bytes``, where no limit is declared."""
    return lambda valid: (
        outgrown(valid, length_bytes) if valid.body and valid.largest_body_bytes is None else None
    )


def refused_again_and_again(length_bytes: int, times: int) -> Compose:
    """A body as long as may be, at most ``length_bytes``, that is no JSON at its very end."""

    def compose(valid: Valid) -> Payload | None:
        length = min(length_bytes, valid.largest_body_bytes or length_bytes)
        if not 0 < len(valid.body) < length:
            return None
        return replace(valid.carrying(valid.body.ljust(length - 1) + b"x"), times=times)

    return compose


def padded(length: Callable[[Valid], int | None]) -> Compose:
    """The valid body with spaces after it: JSON allows them, so only its length is unusual."""

    def compose(valid: Valid) -> Payload | None:
        wanted = length(valid)
        if wanted is None or not 0 < len(valid.body) <= wanted:
            return None
        return valid.carrying(valid.body.ljust(wanted))

    return compose


def headers(changed: Mapping[str, str | None], *, half_close: bool = False) -> Compose:
    """The valid body under other headers."""
    return lambda valid: (
        Payload((valid.head(changed) + valid.body,), half_close=half_close) if valid.body else None
    )


def length_off_by(difference: int) -> Compose:
    """A Content-Length that is not the body's."""
    return lambda valid: headers({"Content-Length": str(len(valid.body) + difference)}, half_close=True)(
        valid
    )


def content_type(value: str | None) -> Compose:
    """The valid body declared as something else."""
    return lambda valid: valid.carrying(valid.body, {"Content-Type": value}) if valid.body else None


def start_line(**changed: str) -> Compose:
    """The valid request with another method, target or version."""
    return lambda valid: Payload((valid.head({}, **changed) + valid.body,))


def target(change: Callable[[str], str]) -> Compose:
    """The valid request for what ``change`` makes of its path."""
    return lambda valid: start_line(target=change(valid.request.path))(valid)


def absolute_form(valid: Valid) -> Payload:
    """The valid request with a whole URL for its target (RFC 9112, section 3.2.2)."""
    url = f"http://{valid.host}{valid.base_path}{valid.request.path}"
    return Payload((f"{valid.request.method} {url} HTTP/1.1\r\n".encode() + _after_line(valid),))


def of_the_server(method: str, form: str) -> Compose:
    """A target that is of the server as a whole; ``{host}`` in ``form`` is replaced."""
    return lambda valid: Payload(
        (f"{method} {form.format(host=valid.host)} HTTP/1.1\r\n".encode() + _after_line(valid),)
    )


def _after_line(valid: Valid) -> bytes:
    return valid.head({}).partition(b"\r\n")[2] + valid.body


def bodiless(method: str) -> Compose:
    """Another method, without a body."""
    return lambda valid: Payload((valid.head({"Content-Length": None, "Content-Type": None}, method=method),))


def extra_line(line: bytes) -> Compose:
    """The valid request with a line among its headers that no dictionary of headers can hold."""
    return lambda valid: Payload((valid.head({})[:-2] + line + b"\r\n\r\n" + valid.body,))


def exactly(content: bytes) -> Compose:
    """These bytes, whatever the valid request is."""
    return lambda _valid: Payload((content,), half_close=True)


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    """One chunk of the chunked transfer coding."""
    return f"{len(data):x}".encode() + extension + b"\r\n" + data + b"\r\n"


def chunked(encode: Callable[[bytes], bytes], *, half_close: bool = False, length: bool = False) -> Compose:
    """The body, chunked as ``encode`` writes it; ``length`` adds the Content-Length it must not have."""

    def compose(valid: Valid) -> Payload | None:
        changed = {"Transfer-Encoding": "chunked"} | ({} if length else {"Content-Length": None})
        return (
            Payload((valid.head(changed) + encode(valid.body),), half_close=half_close)
            if valid.body
            else None
        )

    return compose


def truncated(valid: Valid) -> Payload | None:
    """A client that ends after half of the body it announced."""
    sent = valid.head({}) + valid.body[: len(valid.body) // 2]
    return Payload((sent,), half_close=True) if valid.body else None


def unfinished_head(valid: Valid) -> Payload:
    """A client that ends in the middle of a header."""
    return Payload((valid.head({})[:-6],), half_close=True)


def aborted(valid: Valid) -> Payload | None:
    """A client that resets the connection after half of the body."""
    return Payload((valid.head({}) + valid.body[: len(valid.body) // 2],), abort=True) if valid.body else None


def slow(valid: Valid) -> Payload:
    """The valid request in four parts."""
    head, half = valid.head({}), len(valid.body) // 2
    parts = tuple(part for part in (head[:20], head[20:], valid.body[:half], valid.body[half:]) if part)
    return Payload(parts, pause_s=PAUSE_S)


def stalled(senders: int) -> Compose:
    """The valid request from many clients at once, each of which stops half-way and goes on later."""

    def compose(valid: Valid) -> Payload:
        content = valid.head({}) + valid.body
        middle = len(content) - max(len(valid.body) // 2, 1)
        return Payload((content[:middle], content[middle:]), senders=senders)

    return compose


def pipelined(valid: Valid) -> Payload:
    """The valid request twice, the second before the first is answered."""
    first, second = valid.head({"Connection": "keep-alive"}) + valid.body, valid.head({}) + valid.body
    return Payload((first + second,), answers=2)


def gzipped(valid: Valid) -> Payload | None:
    """The valid body, compressed."""
    packed = gzip.compress(valid.body, mtime=0)
    return valid.carrying(packed, {"Content-Encoding": "gzip"}) if valid.body else None


def gzip_cut_off(valid: Valid) -> Payload | None:
    """The valid body, compressed, without its end."""
    packed = gzip.compress(valid.body, mtime=0)[:-12]
    return valid.carrying(packed, {"Content-Encoding": "gzip"}) if valid.body else None


def encoded(coding: str) -> Compose:
    """The valid body, declared to be of another content coding."""
    return lambda valid: valid.carrying(valid.body, {"Content-Encoding": coding}) if valid.body else None


def gzip_bomb(valid: Valid) -> Payload | None:
    """A small body that expands to 16 MiB."""
    packed = gzip.compress(b" " * BOMB_BYTES, mtime=0)
    return valid.carrying(packed, {"Content-Encoding": "gzip"}) if valid.body else None


def with_members_twice(text: bytes) -> bytes:
    """A JSON object with all its members twice; anything else unchanged."""
    return text[:-1] + b"," + text[1:] if text[:1] == b"{" and text != b"{}" else text


_MARK = "\x00number\x00"


def _marked(value: Any, *, fraction: bool) -> tuple[Any, bool]:
    """``value`` with its first number replaced by the mark, and whether there was one."""
    if isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and not fraction):
        return _MARK, True
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        new, found = _marked(item, fraction=fraction)
        if found:
            copied = value.copy()
            copied[key] = new
            return copied, True
    return value, False
