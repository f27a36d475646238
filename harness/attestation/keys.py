"""Keys from PEM files: Ed25519 and ECDSA on P-256."""

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from harness.errors import UsageError

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey
MOST_PEM_BYTES = 64 * 1024

_KINDS = "Ed25519, or ECDSA on P-256"
_MAKE_PAIR = "`openssl genpkey -algorithm ed25519 -out private.pem` makes one"
_TAKE_PUBLIC = "`openssl pkey -in private.pem -pubout -out public.pem` writes it"


def load_private_key(path: Path) -> PrivateKey:
    """The key that signs.

    Raises:
        UsageError: it cannot be read, every user can read it, it has a password, or is of another kind.
    """
    pem = _read(path, _refuse_open_to_all)
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise UsageError(
            f"--key {path}: the private key has a password, and nobody is there to ask for it",
            fix="`openssl pkey -in locked.pem -out private.pem` writes it without, under `umask 077`",
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"--key {path}: not a private key in PEM", fix=f"{_KINDS}: {_MAKE_PAIR}") from error
    if not isinstance(key, PrivateKey) or _curve(key) not in {"", "secp256r1"}:
        raise UsageError(
            f"--key {path}: a private key of another kind ({_kind(key)})", fix=f"{_KINDS}: {_MAKE_PAIR}"
        )
    return key


def load_public_key(path: Path) -> PublicKey:
    """The key that a signature is held against.

    Raises:
        UsageError: it cannot be read, is a private key, or is of another kind.
    """
    pem = _read(path)
    if b"PRIVATE KEY-----" in pem:
        raise UsageError(
            f"--key {path}: a private key, where only the public one is needed",
            fix=f"{_TAKE_PUBLIC}; who verifies must not be able to sign",
        )
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"--key {path}: not a public key in PEM", fix=f"{_KINDS}: {_TAKE_PUBLIC}") from error
    if not isinstance(key, PublicKey) or _curve(key) not in {"", "secp256r1"}:
        raise UsageError(
            f"--key {path}: a public key of another kind ({_kind(key)})", fix=f"{_KINDS}: {_TAKE_PUBLIC}"
        )
    return key


def key_id(key: PublicKey) -> str:
    """SHA-256 of the public key's SubjectPublicKeyInfo in DER, in hex."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def sign(key: PrivateKey, message: bytes) -> bytes:
    """64 bytes by Ed25519 (RFC 8032), or the DER of ECDSA with SHA-256."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    return key.sign(message, ec.ECDSA(SHA256()))


def has_signed(key: PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether ``signature`` is this key's, of exactly ``message``."""
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
        else:
            key.verify(signature, message, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _read(path: Path, inspect: Callable[[Path, os.stat_result], None] = lambda _path, _found: None) -> bytes:
    try:
        with path.open("rb") as file:
            inspect(path, os.fstat(file.fileno()))
            pem = file.read(MOST_PEM_BYTES + 1)
    except OSError as error:
        raise UsageError(f"--key {path}: cannot be read ({error.strerror or error})") from error
    if len(pem) > MOST_PEM_BYTES:
        raise UsageError(f"--key {path}: larger than any key ({MOST_PEM_BYTES} bytes)")
    return pem


def _refuse_open_to_all(path: Path, found: os.stat_result) -> None:
    if stat.S_IMODE(found.st_mode) & stat.S_IRWXO:
        raise UsageError(
            f"--key {path}: every user of this machine may open the private key "
            f"(mode {stat.S_IMODE(found.st_mode):04o})",
            fix=f"`chmod 600 {path}`, and take a new key if others were here",
        )


def _curve(key: object) -> str:
    return key.curve.name if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) else ""


def _kind(key: object) -> str:
    return _curve(key) or type(key).__name__.removesuffix("PrivateKey").removesuffix("PublicKey").lstrip("_")
