"""The raw corpus: what is sent in place of the valid request, and what answer is right."""

from dataclasses import dataclass

from harness.checks.fuzz import raw_message as raw
from harness.checks.fuzz.settings import Expectation

NESTING = 10_000
LARGE_BYTES = 64 * 1024 * 1024
REFUSED_BYTES = 1024 * 1024
REFUSED_TIMES = 64
STALLED_SENDERS = 16
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
    RawCase("number-beyond-minus-double", "refused", raw.number(b"-1e999")),
    RawCase("number-beyond-single", "depends", raw.number(b"1e39", fraction=True)),
    RawCase("number-of-5000-digits", "refused", raw.number(b"1" * 5000)),
    RawCase("number-hexadecimal", "refused", raw.number(b"0x10")),
    RawCase("number-leading-zero", "refused", raw.number(b"01")),
    RawCase("number-plus-sign", "refused", raw.number(b"+1")),
    RawCase("number-nested-10000", "refused", raw.number(b"[" * NESTING + b"]" * NESTING)),
    RawCase("number-many-digits", "valid", raw.number(b"0." + b"1" * 400, fraction=True)),
    RawCase("number-minus-zero", "valid", raw.number(b"-0", fraction=True)),
    RawCase("number-minus-zero-point", "valid", raw.number(b"-0.0", fraction=True)),
    RawCase("number-denormal", "valid", raw.number(b"5e-324", fraction=True)),
    RawCase("number-denormal-single", "valid", raw.number(b"1.4e-45", fraction=True)),
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
    RawCase("content-type-charset", "valid", raw.content_type("application/json; charset=utf-8")),
    RawCase("content-type-other-charset", "depends", raw.content_type("application/json; charset=utf-16")),
    RawCase("gzip-body", "depends", raw.gzipped),
    RawCase("gzip-falsely-claimed", "depends", raw.encoded("gzip")),
    RawCase("gzip-cut-off", "refused_or_closed", raw.gzip_cut_off),
    RawCase("gzip-bomb", "depends", raw.gzip_bomb),
    RawCase("content-encoding-unknown", "depends", raw.encoded("rot13")),
    RawCase("body-at-limit", "valid", raw.padded(lambda valid: valid.largest_body_bytes)),
    RawCase(
        "body-beyond-limit",
        "refused_or_closed",
        raw.padded(lambda valid: valid.largest_body_bytes and valid.largest_body_bytes + 1),
    ),
    RawCase("body-of-64-mib", "refused_or_closed", raw.beyond_declared(LARGE_BYTES)),
    RawCase("body-of-64-mib-undeclared", "depends", raw.undeclared(LARGE_BYTES)),
    RawCase("body-refused-64-times", "refused", raw.refused_again_and_again(REFUSED_BYTES, REFUSED_TIMES)),
)
# Framing, RFC 9112 sections 6 and 7: how long a message is must never be a guess.
_FRAMING = (
    RawCase("truncated-body", "refused_or_closed", raw.truncated),
    RawCase("client-gone", "depends", raw.aborted),
    RawCase("slow-client", "valid", raw.slow),
    RawCase("clients-stalled", "valid", raw.stalled(STALLED_SENDERS)),
    RawCase("pipelined", "valid", raw.pipelined),
    RawCase("expect-continue", "valid", raw.extra_line(b"Expect: 100-continue")),
    RawCase("expect-unknown", "depends", raw.extra_line(b"Expect: the-unexpected")),
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
        "refused_or_closed",
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
    RawCase("method-trace", "refused_or_closed", raw.bodiless("TRACE"), NOT_IMPLEMENTED),
    RawCase("method-unknown", "refused_or_closed", raw.bodiless("BREW"), NOT_IMPLEMENTED),
    RawCase("method-of-4096-letters", "refused_or_closed", raw.bodiless("A" * 4096), NOT_IMPLEMENTED),
    RawCase("target-of-64-kib", "depends", raw.start_line(target="/" + "a" * 65536)),
    RawCase("target-absolute", "depends", raw.absolute_form),
    RawCase("target-asterisk", "refused_or_closed", raw.of_the_server("POST", "*"), NOT_IMPLEMENTED),
    RawCase("method-connect", "refused_or_closed", raw.of_the_server("CONNECT", "{host}"), NOT_IMPLEMENTED),
    RawCase("target-with-space", "refused_or_closed", raw.start_line(target="/a b")),
    RawCase("request-line-malformed", "refused_or_closed", raw.exactly(b"\x00\x01\x02\x03\r\n\r\n")),
    RawCase(
        "http-2-preface",
        "refused_or_closed",
        raw.exactly(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        VERSION_NOT_SUPPORTED | NOT_IMPLEMENTED,
    ),
    RawCase("tls-hello", "refused_or_closed", raw.exactly(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")),
    RawCase("nothing-sent", "refused_or_closed", raw.exactly(b"")),
    RawCase("headers-unfinished", "refused_or_closed", raw.unfinished_head),
)
_PATHS = (
    RawCase("path-double-slash", "refused_or_closed", raw.target(lambda path: f"/{path}")),
    RawCase("path-trailing-slash", "depends", raw.target(lambda path: f"{path}/")),
    RawCase("path-dot-segment", "depends", raw.target(lambda path: f"/.{path}")),
    RawCase("path-parent-segment", "depends", raw.target(lambda path: f"/x/..{path}")),
    RawCase("path-backslash", "refused_or_closed", raw.target(lambda path: path.replace("/", "\\"))),
    RawCase("path-parameter", "refused_or_closed", raw.target(lambda path: f"{path};a=b")),
    RawCase("path-fragment", "depends", raw.target(lambda path: f"{path}#a")),
    RawCase("path-escaped", "depends", raw.target(lambda path: f"/%{ord(path[1:2] or '.'):02x}{path[2:]}")),
    RawCase("path-escaped-slash", "refused_or_closed", raw.target(lambda path: f"/%2f{path[1:]}")),
    RawCase("path-escaped-twice", "refused_or_closed", raw.target(lambda path: f"/%252e{path}")),
    RawCase("path-escaped-nul", "refused_or_closed", raw.target(lambda path: f"{path}%00")),
    RawCase(
        "path-escaped-line-end", "refused_or_closed", raw.target(lambda path: f"{path}%0d%0aX-Added:%201")
    ),
    RawCase("path-escape-malformed", "refused_or_closed", raw.target(lambda path: f"{path}%zz")),
    RawCase("path-escape-cut-off", "refused_or_closed", raw.target(lambda path: f"{path}%")),
    RawCase("path-escaped-not-utf8", "refused_or_closed", raw.target(lambda path: f"{path}%ff%fe")),
    RawCase("path-not-ascii", "refused_or_closed", raw.target(lambda path: f"{path}\xe4")),
    RawCase("path-out-of-root", "refused_or_closed", raw.target(lambda _: "/../../../../etc/passwd")),
    RawCase(
        "path-out-of-root-escaped", "refused_or_closed", raw.target(lambda _: "/%2e%2e/%2e%2e%2fetc%2fpasswd")
    ),
    RawCase("query-of-1000", "depends", raw.target(lambda path: f"{path}?" + "&".join(["a=1"] * 1000))),
    RawCase("query-malformed", "depends", raw.target(lambda path: f"{path}?%zz&=&a[]=%ff")),
)
_HEADERS = (
    RawCase("host-missing", "depends", raw.headers({"Host": None})),
    RawCase("host-twice", "depends", raw.extra_line(b"Host: another")),
    RawCase("host-of-another", "depends", raw.headers({"Host": "another.invalid"})),
    RawCase("header-without-colon", "refused_or_closed", raw.extra_line(b"X-No-Colon")),
    RawCase("header-space-in-name", "refused_or_closed", raw.extra_line(b"X Spaced: 1")),
    RawCase("header-nul", "depends", raw.extra_line(b"X-Nul: a\x00b")),
    RawCase("header-not-ascii", "depends", raw.extra_line(b"X-Bytes: \xff\xfe\x80")),
    RawCase("header-folded", "depends", raw.extra_line(b"X-Folded: a\r\n b")),
    RawCase("header-of-64-kib", "depends", raw.extra_line(b"X-Large: " + b"a" * 65536)),
    RawCase("header-of-1-mib", "depends", raw.extra_line(b"X-Large: " + b"a" * 1024 * 1024)),
    RawCase(
        "headers-1000",
        "depends",
        raw.extra_line(b"\r\n".join(f"X-Many-{number}: 1".encode() for number in range(1000))),
    ),
)
CORPUS = (VALID, *_NUMBERS, *_TEXTS, *_CONTENT, *_FRAMING, *_START_LINES, *_PATHS, *_HEADERS)
