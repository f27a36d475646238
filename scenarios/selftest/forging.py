"""Tokens that a service has to refuse, made by whoever has a valid one and no private key."""

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

Part = dict[str, Any]
Sign = Callable[[bytes], bytes]


def parts_of(bearer: Mapping[str, str]) -> tuple[Part, Part]:
    """Header and claims of the token that a credential presents."""
    header, claims, _ = bearer["Authorization"].removeprefix("Bearer ").split(".")
    return _decoded(header), _decoded(claims)


def bearer_of(token: str) -> dict[str, str]:
    """What presents a token."""
    return {"Authorization": f"Bearer {token}"}


def forged(header: Part, claims: Part, sign: Sign) -> dict[str, str]:
    """What presents a token of these parts (RFC 7515, section 7.1)."""
    signed = f"{_encoded(header)}.{_encoded(claims)}"
    return bearer_of(f"{signed}.{_base64url(sign(signed.encode()))}")


def hs256(secret: bytes) -> Sign:
    """Signs by a secret, whatever that is."""
    return lambda signed: hmac.digest(secret, signed, "sha256")


def _encoded(part: Part) -> str:
    return _base64url(json.dumps(part, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> Part:
    part: Part = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return part
