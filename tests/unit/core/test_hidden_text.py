"""The search for secrets finds them: otherwise a test that finds none would say nothing."""

import base64
import gzip
import io
import json
import tarfile
import zipfile
import zlib
from urllib.parse import quote

import pytest
from hidden_text import Finder

SECRET = 'open-sesame "&<%+/=\\ 0123456789'


def zipped(content):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("samples.npy", content)
    return packed.getvalue()


def tarred(content):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("layer")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


WRITINGS = {
    "as it is": lambda text: text.encode(),
    "JSON": lambda text: json.dumps({"a": text}).encode(),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)).encode(),
    "URL": lambda text: quote(text, safe="").encode(),
    "hex": lambda text: text.encode().hex().encode(),
    "Base64": lambda text: base64.b64encode(text.encode()),
    "Base64 behind one byte": lambda text: base64.b64encode(b"x" + text.encode() + b"y"),
    "Base64 behind two bytes": lambda text: base64.urlsafe_b64encode(b"xx" + text.encode()),
    "gzip": lambda text: gzip.compress(text.encode()),
    "zip": lambda text: zipped(text.encode()),
    "zip in tar": lambda text: tarred(zipped(text.encode())),
    "zlib in Base64": lambda text: (
        b'{"zlib_base64": "%b"}' % base64.b64encode(zlib.compress(text.encode() * 9))
    ),
}


@pytest.mark.parametrize("writing", WRITINGS)
def test_a_secret_is_found_in_any_writing(writing):
    write, finder = WRITINGS[writing], Finder(["of-no-interest-here", SECRET])
    assert finder.found(write(SECRET))
    assert finder.found(write("another text that is no secret at all")) == ""


def test_a_token_is_found_by_its_signature():
    signature = base64.urlsafe_b64encode(bytes(range(64))).rstrip(b"=").decode()
    finder = Finder([f"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJtZSJ9.{signature}"])
    assert finder.found(f"x {signature} y".encode())
    assert not finder.found(b"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJtZSJ9.")


def test_a_line_of_a_private_key_is_found():
    line = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQ"
    pem = f"-----BEGIN PRIVATE KEY-----\n{line}\n-----END PRIVATE KEY-----\n"
    assert Finder([pem]).found(f"x {line} y".encode())
    assert not Finder([pem]).found(b"-----BEGIN PRIVATE KEY-----")
