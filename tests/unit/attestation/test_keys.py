"""Key files: those that will do, and a clear word on each that will not."""

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from harness.attestation.keys import (
    MOST_PEM_BYTES,
    has_signed,
    key_id,
    load_private_key,
    load_public_key,
    sign,
)
from harness.errors import UsageError

ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
P256 = ec.derive_private_key(2026, ec.SECP256R1())
GOOD = pytest.mark.parametrize("key", [ED25519, P256], ids=["ed25519", "p256"])
OTHERS = pytest.mark.parametrize(
    ("key", "kind"),
    [
        (rsa.generate_private_key(public_exponent=65537, key_size=2048), "RSA"),
        (ec.derive_private_key(2026, ec.SECP384R1()), "secp384r1"),
        (ed448.Ed448PrivateKey.generate(), "Ed448"),
    ],
    ids=["rsa", "p384", "ed448"],
)


@pytest.fixture
def pem(tmp_path):
    """Writes a PEM file that only its owner can open."""

    def write(content, mode=0o600):
        path = tmp_path / "key.pem"
        path.write_bytes(content)
        path.chmod(mode)
        return path

    return write


def private(key, form=PrivateFormat.PKCS8, encryption=None):
    return key.private_bytes(Encoding.PEM, form, encryption or NoEncryption())


def public(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@GOOD
def test_a_pair_from_files_signs_and_verifies(pem, key):
    signature = sign(load_private_key(pem(private(key))), b"message")
    loaded = load_public_key(pem(public(key), 0o644))
    assert has_signed(loaded, signature, b"message")
    assert not has_signed(loaded, signature, b"massage")
    assert key_id(loaded) == key_id(key.public_key())


def test_a_key_s_id_is_what_openssl_says():
    # openssl pkey -pubin -outform DER | sha256sum, of the public key of RFC 8032, 7.1, TEST 1
    key = ed25519.Ed25519PublicKey.from_public_bytes(
        bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    )
    assert key_id(key) == "06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9"


def test_the_older_form_of_a_p256_key_is_read(pem):
    loaded = load_private_key(pem(private(P256, PrivateFormat.TraditionalOpenSSL)))
    assert loaded.public_key() == P256.public_key()


@GOOD
def test_a_password(pem, key):
    with pytest.raises(UsageError, match="has a password") as caught:
        load_private_key(pem(private(key, encryption=BestAvailableEncryption(b"sesame"))))
    assert "openssl pkey -in" in caught.value.fix


@OTHERS
def test_a_private_key_of_another_kind(pem, key, kind):
    with pytest.raises(UsageError, match=rf"of another kind \({kind}\)") as caught:
        load_private_key(pem(private(key)))
    assert "Ed25519, or ECDSA on P-256" in caught.value.fix


@OTHERS
def test_a_public_key_of_another_kind(pem, key, kind):
    with pytest.raises(UsageError, match=rf"of another kind \({kind}\)"):
        load_public_key(pem(public(key)))


@GOOD
@pytest.mark.parametrize("mode", [0o604, 0o644, 0o666, 0o602, 0o777])
def test_a_private_key_that_every_user_may_open(pem, key, mode):
    with pytest.raises(UsageError, match=rf"every user .* \(mode {mode:04o}\)") as caught:
        load_private_key(pem(private(key), mode))
    assert "chmod 600" in caught.value.fix


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_a_private_key_of_its_owner_and_their_group(pem, mode):
    assert load_private_key(pem(private(ED25519), mode))


@GOOD
def test_a_private_key_where_the_public_one_is_asked_for(pem, key):
    for content in (private(key), private(key, encryption=BestAvailableEncryption(b"sesame"))):
        with pytest.raises(UsageError, match="only the public one is needed") as caught:
            load_public_key(pem(content))
        assert "-pubout" in caught.value.fix


@GOOD
def test_a_public_key_where_the_private_one_is_asked_for(pem, key):
    with pytest.raises(UsageError, match="not a private key in PEM"):
        load_private_key(pem(public(key)))


@pytest.mark.parametrize("load", [load_private_key, load_public_key])
@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PUBLIC KEY-----\n", b"\xff" * 9])
def test_no_key(pem, load, content):
    with pytest.raises(UsageError, match=r"key\.pem: not a (private|public) key in PEM"):
        load(pem(content))


@pytest.mark.parametrize("load", [load_private_key, load_public_key])
def test_a_file_that_is_not_there_or_is_none(load, tmp_path, pem):
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path / "nowhere.pem")
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path)
    with pytest.raises(UsageError, match="larger than any key"):
        load(pem(b" " * (MOST_PEM_BYTES + 1)))


def test_no_message_shows_the_key(pem):
    locked = private(ED25519, encryption=BestAvailableEncryption(b"sesame")).decode()
    for content in (locked, private(P256).decode().replace("PRIVATE", "PRIVITE")):
        with pytest.raises(UsageError) as caught:
            load_private_key(pem(content.encode()))
        said = str(caught.value) + caught.value.fix
        assert not [line for line in content.splitlines() if len(line) > 40 and line in said]


def test_a_key_may_come_through_a_pipe():
    read, write = os.pipe()
    os.write(write, private(ED25519))
    os.close(write)
    assert load_private_key(Path(f"/dev/fd/{read}"))
    os.close(read)
