"""Signs tokens as an issuer would, and publishes the keys."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

ISSUER, AUDIENCE = "https://issuer.test", "inference"


@dataclass(frozen=True)
class Signer:
    """A key pair and the claims of a token that must be accepted."""

    private_pem: bytes
    public_pem: bytes
    kid: str
    algorithm: str

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key as it stands in a key set."""
        algorithm = jwt.get_algorithm_by_name(self.algorithm)
        return {**algorithm.to_jwk(algorithm.prepare_key(self.public_pem), as_dict=True), "kid": self.kid}

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "tester",
            "scope": "predict metadata",
            "nbf": now - 60,
            "exp": now + 60,
        }
        changed = claims | changes
        return {name: value for name, value in changed.items() if value is not None}

    def token(self, **changes: Any) -> str:
        return self.token_with({"kid": self.kid}, **changes)

    def token_with(self, header: dict[str, Any], **changes: Any) -> str:
        return jwt.encode(self.claims(**changes), self.private_pem, algorithm=self.algorithm, headers=header)


def signer_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, kid: str) -> Signer:
    return Signer(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        kid,
        "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256",
    )


def write_jwks(path: Path, *keys: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"keys": keys}), encoding="utf-8")
    return path
