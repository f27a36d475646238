"""Finds secrets in bytes, however they are written there, and in whatever is packed there."""

import base64
import gzip
import html
import io
import json
import re
import tarfile
import zipfile
import zlib
from contextlib import suppress
from urllib.parse import quote, quote_plus

BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{32,}={0,2}")
TOKEN = re.compile(r"[\w-]+\.[\w-]*\.([\w-]{32,})")
PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"\x78")
MOST_DEEP = 4
LEAST = 12
"""Bytes of a form: shorter ones are found in innocent text."""


def parts(secret):
    """What of a secret has to be nowhere: a token's signature, the lines of a private key, else all of it."""
    token = TOKEN.fullmatch(secret)
    if token and set(token[1]) != {"A"}:  # a forged one of zeros is no secret by itself
        return [token[1][:48]]
    if "PRIVATE KEY" in secret:
        return [line for line in secret.splitlines() if not line.startswith("-----")]
    return [secret]


def forms(part):
    """The ways in which it may have been written."""
    quoted = json.dumps(part)[1:-1]
    written = {part, quoted, json.dumps(quoted)[1:-1], quote(part), quote(part, safe="")}
    written |= {quote_plus(part), html.escape(part), repr(part)[1:-1]}
    raw = part.encode()
    found = {form.encode() for form in written} | {raw.hex().encode(), raw.hex().upper().encode()}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        # Whatever stands before it, one of three beginnings is encoded by itself.
        found |= {encode(raw[start : start + (len(raw) - start) // 3 * 3]) for start in range(3)}
    return {form for form in found if len(form) >= LEAST}


class Finder:
    """Looks for some secrets."""

    def __init__(self, secrets):
        self._forms = {form: part for secret in secrets for part in parts(secret) for form in forms(part)}

    def found(self, content):
        """The first secret in ``content`` or in what is packed in it; empty without any."""
        return next(filter(None, map(self.plainly, unpacked(content))), "")

    def plainly(self, content):
        """Likewise, of what is not packed: all that can be done with gigabytes."""
        return next(
            (f"{part[:8]}... as {form[:24]!r}" for form, part in self._forms.items() if form in content), ""
        )


def unpacked(content, deep=0):
    """``content``, and what is in it: archives, compressed streams, and Base64 of either."""
    yield content
    if deep == MOST_DEEP:
        return
    for inner in _opened(content):
        yield from unpacked(inner, deep + 1)
    decoded = list(_decoded(content))
    yield b"\0".join(decoded)
    for inner in decoded:
        if inner.startswith(PACKED):
            yield from unpacked(inner, deep + 1)


def _opened(content):
    with suppress(OSError, EOFError, zlib.error):
        if content.startswith(b"\x1f\x8b"):
            yield gzip.decompress(content)
        elif content.startswith(b"\x78"):
            yield zlib.decompress(content)
        elif content.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                yield from map(archive.read, archive.namelist())
        elif content[257:262] == b"ustar":
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                yield from (archive.extractfile(member).read() for member in archive if member.isfile())


def _decoded(content):
    for match in BASE64.finditer(content):
        text = match[0].rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
        with suppress(ValueError):
            yield base64.b64decode(text + b"=" * (-len(text) % 4))
