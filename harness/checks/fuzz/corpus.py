"""The raw corpus: what is sent in place of the valid request, and what answer is right."""

from dataclasses import dataclass

from harness.checks.fuzz import raw_message as raw
from harness.checks.fuzz.settings import Expectation

NESTING = 10_000
UNDECLARED_LARGE_BYTES = 16 * 1024 * 1024
NOT_IMPLEMENTED = frozenset({501})
VERSION_NOT_SUPPORTED = frozenset({505})


@dataclass(frozen=True)
class RawCase:
    """One case of the corpus.

    Attributes:
        name: Stable; findings and ``[fuzz.raw.expect]`` refer to it.
        statuses: Right besides what ``expect`` says.
    """

    name: str
    expect: Expectation
    compose: raw.Compose
    statuses: frozenset[int] = frozenset()


VALID = RawCase("valid", "valid", raw.as_it_is)
"""Comes first: where it is refused, refusing the others means nothing."""

_NUMBERS = (
    RawCase("nan", "refused", raw.number(b"NaN")),
    RawCase("infinity", "refused", raw.number(b"Infinity")),
    RawCase("minus-infinity", "refused", raw.number(b"-Infinity")),
    RawCase("number-beyond-double", "refused", raw.number(b"1e999")),
    RawCase("number-of-5000-digits", "refused", raw.number(b"1" * 5000)),
    RawCase("number-hexadecimal", "refused", raw.number(b"0x10")),
    RawCase("number-leading-zero", "refused", raw.number(b"01")),
    RawCase("number-plus-sign", "refused", raw.number(b"+1")),
    RawCase("number-nested-10000", "refused", raw.number(b"[" * NESTING + b"]" * NESTING)),
    RawCase("number-many-digits", "valid", raw.number(b"0." + b"1" * 400, fraction=True)),
    RawCase("number-minus-zero", "valid", raw.number(b"-0", fraction=True)),
    RawCase("number-minus-zero-point", "valid", raw.number(b"-0.0", fraction=True)),
    RawCase("number-denormal", "valid", raw.number(b"5e-324", fraction=True)),
    RawCase("number-underflow", "valid", raw.number(b"1e-999", fraction=True)),
)
_TEXTS = (
    RawCase("empty-body", "refused", raw.body(lambda _: b"")),
    RawCase("blank-body", "refused", raw.body(lambda _: b" \r\n\t ")),
    RawCase("json-null", "refused", raw.body(lambda _: b"null")),
    RawCase("json-true", "refused", raw.body(lambda _: b"true")),
    RawCase("json-number", "refused", raw.body(lambda _: b"0")),
    RawCase("json-string", "refused", raw.body(lambda _: b'"text"')),
    RawCase("json-other-container", "refused", raw.body(lambda text: b"[]" if text[:1] == b"{" else b"{}")),
    RawCase("json-cut-off", "refused", raw.body(lambda text: text[: len(text) // 2])),
    RawCase("json-twice", "refused", raw.body(lambda text: text + text)),
    RawCase("json-trailing-text", "refused", raw.body(lambda text: text + b" x")),
    RawCase("json-trailing-comma", "refused", raw.body(lambda text: text[:-1] + b"," + text[-1:])),
    RawCase("json-comment", "refused", raw.body(lambda text: b"/* */" + text)),
    RawCase("json-single-quotes", "refused", raw.body(lambda _: b"{'a': 1}")),
    RawCase("json-with-spaces", "valid", raw.body(lambda text: b" \n\t" + text + b"\r\n")),
    RawCase("json-duplicate-keys", "depends", raw.body(raw.with_members_twice)),
    RawCase("nested-10000", "refused", raw.body(lambda _: b"[" * NESTING + b"]" * NESTING)),
    RawCase(
        "nested-10000-objects", "refused", raw.body(lambda _: b'{"a":' * NESTING + b"1" + b"}" * NESTING)
    ),
    RawCase("nested-10000-open", "refused", raw.body(lambda _: b"[" * NESTING)),
    RawCase("utf8-invalid", "refused", raw.body(lambda text: text.replace(b'"', b'"\xff\xfe', 1))),
    RawCase("utf8-overlong", "refused", raw.body(lambda text: text.replace(b'"', b'"\xc0\xaf', 1))),
    RawCase("utf8-surrogate", "refused", raw.body(lambda text: text.replace(b'"', b'"\xed\xa0\x80', 1))),
    RawCase("escaped-surrogate", "depends", raw.body(lambda text: text.replace(b'"', b'"\\ud800', 1))),
    RawCase("control-character", "refused", raw.body(lambda text: text.replace(b'"', b'"\x01', 1))),
    RawCase("nul-byte", "refused", raw.body(lambda text: b"\x00" + text)),
    RawCase("byte-order-mark", "depends", raw.body(lambda text: b"\xef\xbb\xbf" + text)),
    RawCase("utf16-body", "depends", raw.body(lambda text: text.decode().encode("utf-16"))),
    RawCase("binary-body", "refused", raw.body(lambda _: bytes(range(256)))),
)
_CONTENT = (
    RawCase("content-type-missing", "depends", raw.content_type(None)),
    RawCase("content-type-text", "depends", raw.content_type("text/plain")),
    RawCase("content-type-form", "depends", raw.content_type("application/x-www-form-urlencoded")),
    RawCase("content-type-malformed", "depends", raw.content_type('application/json; charset="')),
    RawCase("content-type-other-charset", "depends", raw.content_type("application/json; charset=utf-16")),
    RawCase("gzip-body", "depends", raw.gzipped),
    RawCase("gzip-falsely-claimed", "depends", raw.falsely_gzipped),
    RawCase("gzip-bomb", "depends", raw.gzip_bomb),
    RawCase("body-at-limit", "valid", raw.padded(lambda valid: valid.largest_body_bytes)),
    RawCase(
        "body-beyond-limit",
        "refused_or_closed",
        raw.padded(lambda valid: valid.largest_body_bytes and valid.largest_body_bytes + 1),
    ),
    RawCase(
        "body-of-16-mib",
        "depends",
        raw.padded(lambda valid: None if valid.largest_body_bytes else UNDECLARED_LARGE_BYTES),
    ),
)
# Framing, RFC 9112 sections 6 and 7: how long a message is must never be a guess.
_FRAMING = (
    RawCase("truncated-body", "refused_or_closed", raw.truncated),
    RawCase("client-gone", "depends", raw.aborted),
    RawCase("slow-client", "valid", raw.slow),
    RawCase("pipelined", "valid", raw.pipelined),
    RawCase("expect-continue", "valid", raw.extra_line(b"Expect: 100-continue")),
    RawCase("content-length-missing", "refused_or_closed", raw.headers({"Content-Length": None})),
    RawCase("content-length-short", "refused_or_closed", raw.length_off_by(-1)),
    RawCase("content-length-long", "refused_or_closed", raw.length_off_by(1)),
    RawCase("content-length-negative", "refused_or_closed", raw.headers({"Content-Length": "-1"})),
    RawCase("content-length-word", "refused_or_closed", raw.headers({"Content-Length": "many"})),
    RawCase(
        "content-length-huge", "refused_or_closed", raw.headers({"Content-Length": "9" * 30}, half_close=True)
    ),
    RawCase("content-length-twice", "refused_or_closed", raw.extra_line(b"Content-Length: 1")),
    RawCase(
        "content-length-and-chunked",
        "depends",
        raw.chunked(lambda text: raw.chunk(text) + b"0\r\n\r\n", half_close=True, length=True),
    ),
    RawCase("chunked", "valid", raw.chunked(lambda text: raw.chunk(text) + b"0\r\n\r\n")),
    RawCase(
        "chunked-bytewise",
        "valid",
        raw.chunked(lambda text: b"".join(raw.chunk(bytes([byte])) for byte in text) + b"0\r\n\r\n"),
    ),
    RawCase(
        "chunked-extension-trailer",
        "valid",
        raw.chunked(lambda text: raw.chunk(text, b";name=value") + b"0\r\nX-Trailer: 1\r\n\r\n"),
    ),
    RawCase(
        "chunk-size-malformed",
        "refused_or_closed",
        raw.chunked(lambda text: b"xyz\r\n" + text + b"\r\n0\r\n\r\n", half_close=True),
    ),
    RawCase(
        "chunked-truncated",
        "refused_or_closed",
        raw.chunked(lambda text: raw.chunk(text)[:-4], half_close=True),
    ),
    RawCase(
        "transfer-encoding-unknown",
        "refused_or_closed",
        raw.headers({"Transfer-Encoding": "rot13", "Content-Length": None}, half_close=True),
        NOT_IMPLEMENTED,
    ),
)
_START_LINES = (
    RawCase("http-1.0", "valid", raw.start_line(version="HTTP/1.0")),
    RawCase("http-9.9", "refused_or_closed", raw.start_line(version="HTTP/9.9"), VERSION_NOT_SUPPORTED),
    RawCase("method-head", "depends", raw.bodiless("HEAD"), NOT_IMPLEMENTED),
    RawCase("method-options", "depends", raw.bodiless("OPTIONS"), NOT_IMPLEMENTED),
    RawCase("method-trace", "depends", raw.bodiless("TRACE"), NOT_IMPLEMENTED),
    RawCase("method-unknown", "refused_or_closed", raw.bodiless("BREW"), NOT_IMPLEMENTED),
    RawCase("method-of-4096-letters", "refused_or_closed", raw.bodiless("A" * 4096), NOT_IMPLEMENTED),
    RawCase("target-of-64-kib", "depends", raw.start_line(target="/" + "a" * 65536)),
    RawCase("target-with-space", "refused_or_closed", raw.start_line(target="/a b")),
    RawCase("request-line-malformed", "refused_or_closed", raw.exactly(b"\x00\x01\x02\x03\r\n\r\n")),
    RawCase("tls-hello", "refused_or_closed", raw.exactly(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")),
    RawCase("nothing-sent", "refused_or_closed", raw.exactly(b"")),
    RawCase("headers-unfinished", "refused_or_closed", raw.unfinished_head),
)
_HEADERS = (
    RawCase("host-missing", "depends", raw.headers({"Host": None})),
    RawCase("header-without-colon", "refused_or_closed", raw.extra_line(b"X-No-Colon")),
    RawCase("header-space-in-name", "refused_or_closed", raw.extra_line(b"X Spaced: 1")),
    RawCase("header-nul", "depends", raw.extra_line(b"X-Nul: a\x00b")),
    RawCase("header-not-ascii", "depends", raw.extra_line(b"X-Bytes: \xff\xfe\x80")),
    RawCase("header-folded", "depends", raw.extra_line(b"X-Folded: a\r\n b")),
    RawCase("header-of-64-kib", "depends", raw.extra_line(b"X-Large: " + b"a" * 65536)),
    RawCase(
        "headers-1000",
        "depends",
        raw.extra_line(b"\r\n".join(f"X-Many-{number}: 1".encode() for number in range(1000))),
    ),
)
CORPUS = (VALID, *_NUMBERS, *_TEXTS, *_CONTENT, *_FRAMING, *_START_LINES, *_HEADERS)
