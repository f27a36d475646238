"""The file of public keys: a JSON Web Key Set (RFC 7517) of keys that verify signatures, and nothing else."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

from reference_service.errors import KeyFileError

MIN_RSA_BITS = 2048
ALGORITHMS = {"RSA": "RS256", "EC": "ES256"}
"""The one algorithm of each type of key."""
CURVE = "P-256"
THUMBPRINT_MEMBERS = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True, kw_only=True)
class PublicKey:
    """A key that verifies tokens.

    Attributes:
        kid: Names it, in the header of a token.
        algorithm: The only one that it verifies.
        thumbprint: RFC 7638, SHA-256 in base64url without padding.
        key: In the form of the library that verifies.
    """

    kid: str
    algorithm: str
    thumbprint: str
    key: jwt.PyJWK


def parse_jwks(path: Path, content: bytes) -> tuple[PublicKey, ...]:
    """Return the keys of a file.

    Raises:
        KeyFileError: It is no key set, or a key in it is private, symmetric, weak, of another type or use, or
            has no `kid` of its own.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise KeyFileError(f"{path}: is not JSON") from error
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise KeyFileError(f'{path}: must be {{"keys": [...]}} with at least one key (RFC 7517)')
    keys = []
    for number, entry in enumerate(entries):
        try:
            keys.append(_public_key(entry))
        except ValueError as error:
            raise KeyFileError(f"{path}: keys.{number}: {error}") from error
    if len({key.kid for key in keys}) < len(keys):
        raise KeyFileError(f"{path}: two keys have the same kid")
    return tuple(keys)


def _public_key(entry: object) -> PublicKey:
    """Check one key; a `ValueError` says what is wrong with it, and quotes nothing that may be secret."""
    if not isinstance(entry, dict):
        raise ValueError("must be a JSON object")
    if private := sorted(PRIVATE_MEMBERS & entry.keys()):
        raise ValueError(f"holds a private or symmetric key ({', '.join(private)}), not a public one")
    kty, kid = entry.get("kty"), entry.get("kid")
    if not isinstance(kty, str) or kty not in ALGORITHMS:
        raise ValueError("kty must be RSA or EC")
    if not isinstance(kid, str) or not kid:
        raise ValueError("kid must be a text that names the key")
    algorithm = ALGORITHMS[kty]
    if entry.get("alg", algorithm) != algorithm:
        raise ValueError(f"alg of this type of key must be {algorithm}")
    operations = entry.get("key_ops", ["verify"])
    if entry.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise ValueError("must be for signatures (use sig, key_ops verify)")
    if kty == "EC" and entry.get("crv") != CURVE:
        raise ValueError(f"crv must be {CURVE}")
    try:
        key = jwt.PyJWK(entry, algorithm)
    except Exception as error:  # the library tells a broken key by many types of exception
        raise ValueError("is no readable public key") from error
    if kty == "RSA" and key.key.key_size < MIN_RSA_BITS:
        raise ValueError(f"an RSA key must have at least {MIN_RSA_BITS} bits")
    return PublicKey(kid=kid, algorithm=algorithm, thumbprint=thumbprint(entry), key=key)


def thumbprint(entry: Mapping[str, Any]) -> str:
    """Return the thumbprint of a JSON Web Key (RFC 7638, section 3)."""
    members = {name: entry[name] for name in THUMBPRINT_MEMBERS[entry["kty"]]}
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":"), sort_keys=True).encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
