"""Verifies JSON Web Tokens: RS256 only, with expiry, start, issuer and audience required."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

ALGORITHM = "RS256"
MIN_KEY_BITS = 2048
PEM_BLOCK = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)


class TokenError(Exception):
    """The token is not accepted. Its message is for the log, not for the client."""


class KeyFileError(Exception):
    """A file with keys can't be used; the service does not start."""


@dataclass(frozen=True, kw_only=True)
class TokenVerifier:
    """Accepts tokens signed by any of the keys, for one issuer and audience."""

    keys: tuple[RSAPublicKey, ...]
    issuer: str
    audience: str
    leeway_s: int

    def claims(self, token: str) -> dict[str, Any]:
        """Return the claims of a valid token.

        Raises:
            TokenError: Signature, algorithm, time, issuer, audience or form is wrong.
        """
        reason: Exception | None = None
        for key in self.keys:
            try:
                # The algorithm is pinned, so `none` and an HMAC keyed with the public key are refused.
                return jwt.decode(
                    token,
                    key,
                    algorithms=[ALGORITHM],
                    audience=self.audience,
                    issuer=self.issuer,
                    leeway=self.leeway_s,
                    options={"require": ["exp", "nbf", "iss", "aud"]},
                )
            except Exception as error:  # noqa: BLE001  # whatever a hostile token sets off, it is refused
                reason = error
        raise TokenError(str(reason)) from reason


def read_public_keys(path: Path) -> tuple[RSAPublicKey, ...]:
    """Read every public key of a PEM file (several allow a key to be replaced without a gap).

    Raises:
        KeyFileError: The file can't be read, or holds anything but RSA keys of at least 2048 bits.
    """
    try:
        content = path.read_bytes()
        keys = [load_pem_public_key(block) for block in PEM_BLOCK.findall(content)]
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyFileError(f"{path}: holds a public key that can't be read") from error
    accepted = tuple(key for key in keys if isinstance(key, RSAPublicKey) and key.key_size >= MIN_KEY_BITS)
    if not accepted or len(accepted) != len(keys) or PEM_BLOCK.sub(b"", content).strip():
        raise KeyFileError(
            f"{path}: must hold RSA public keys of at least {MIN_KEY_BITS} bits, and nothing else"
        )
    return accepted
