"""Tokens that a service has to refuse, made from the claims of one that it has to accept.

Written out by hand where PyJWT rightly refuses to make such a token. Pure: the claims, the time and
the keys are arguments. The compact serialisation is that of RFC 7515 section 7.1; ``alg: none`` and a
public key used as an HMAC secret are the attacks of RFC 8725 sections 2.1 and 3.1; an ECDSA signature of
zeros is that of CVE-2022-21449.
"""

import base64
import hmac
import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from harness.checks.scenarios.scenario import Forge
from harness.credentials import Signer
from harness.template import fill, fill_json

TIME = re.compile(r"now(?:([+-])([0-9]+))?")
HMAC_DIGESTS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}


def forge_token(
    forge: Forge,
    claims: Mapping[str, Any],
    *,
    now: int,
    signer: Signer,
    other: Signer,
    values: Mapping[str, Any] = MappingProxyType({}),
) -> str:
    """A token that differs from a valid one as ``forge`` says.

    Args:
        forge: What differs.
        claims: Of the valid token.
        now: Unix time in seconds that ``"now+60"`` refers to.
        signer: The key pair that the service trusts.
        other: A key pair that it does not know.
        values: Of the variables in header and payload.
    """
    signing = other if forge.key == "other" else signer
    payload = {**claims, **_with_times(forge.claims, now)}
    payload = {name: value for name, value in payload.items() if name not in forge.drop}
    if forge.padding is not None:
        payload["padding"] = "x" * forge.padding
    header = fill_json(forge.header, {**values, "jwk": signing.jwk})
    head = _encoded(signer.header({**header, **({"alg": forge.alg} if forge.alg else {})}))
    text = None if forge.payload is None else _base64url(fill(forge.payload, values).encode())
    signed = f"{head}.{text or _encoded(payload)}"
    signature = _signature(forge, signed, signer=signer, signing=signing)
    body = text or _encoded({**payload, **_with_times(forge.tamper, now)})
    return f"{head}.{body}.{_base64url(signature)}"


def _signature(forge: Forge, signed: str, *, signer: Signer, signing: Signer) -> bytes:
    if forge.strip_signature:
        return b""
    if forge.alg is None:
        signature = signing.signature(signed)
        return bytes(len(signature)) if forge.zero_signature else signature
    if forge.alg in HMAC_DIGESTS:
        secret = signer.public_key if forge.hmac_key is None else forge.hmac_key.encode()
        return hmac.digest(secret, signed.encode(), HMAC_DIGESTS[forge.alg])
    return b""


def _with_times(claims: Mapping[str, Any], now: int) -> dict[str, Any]:
    return {name: _time(value, now) for name, value in claims.items()}


def _time(value: Any, now: int) -> Any:
    match = TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    sign, seconds = match.groups()
    return now + int(f"{sign or '+'}{seconds or 0}")


def _encoded(part: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(part, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
