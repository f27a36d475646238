"""Dead Simple Signing Envelope 1.0.2: what is signed is the payload's type and its exact bytes.

The protocol and the JSON envelope are those of ``secure-systems-lab/dsse`` (protocol.md, envelope.md).
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from harness.attestation.keys import PrivateKey, PublicKey, has_signed, key_id, sign


def pae(payload_type: str, payload: bytes) -> bytes:
    """Pre-authentication encoding: the bytes that a signature covers."""
    name = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def _decoded(value: object) -> bytes:
    """Base64, standard or URL-safe as DSSE allows, only as encoders write it: padded, no stray bits."""
    if not isinstance(value, str):
        raise ValueError("must be Base64 text")
    for alphabet in (b"+/", b"-_"):
        try:
            data = b64decode(value, alphabet, validate=True)
        except ValueError:
            continue
        if b64encode(data, alphabet).decode() == value:
            return data
    raise ValueError("not Base64")


Base64 = Annotated[bytes, BeforeValidator(_decoded)]


class Signature(BaseModel):
    """One signature; ``keyid`` is a hint which key it may be, and nothing signs it."""

    model_config = ConfigDict(frozen=True)

    keyid: str | None = None
    sig: Base64


class Envelope(BaseModel):
    """A signed payload. Unknown keys are ignored, as DSSE asks."""

    model_config = ConfigDict(frozen=True)

    payload: Base64
    payload_type: Annotated[str, Field(alias="payloadType")]
    signatures: tuple[Signature, ...]


@dataclass(frozen=True)
class Verified:
    """A payload that one of the given keys has signed.

    Attributes:
        key_id: Of the key that did, as :func:`harness.attestation.keys.key_id` computes it.
    """

    payload: bytes
    payload_type: str
    key_id: str


def seal(payload: bytes, payload_type: str, key: PrivateKey) -> str:
    """The JSON of the envelope, one line, ending in a newline."""
    signature = {
        "keyid": key_id(key.public_key()),
        "sig": b64encode(sign(key, pae(payload_type, payload))).decode(),
    }
    envelope = {
        "payload": b64encode(payload).decode(),
        "payloadType": payload_type,
        "signatures": [signature],
    }
    return json.dumps(envelope, separators=(",", ":")) + "\n"


def verify(envelope: Envelope, keys: Iterable[PublicKey]) -> Verified | None:
    """What one of ``keys`` has signed, None if none of them has.

    A signature that names a key is tried with that key alone.
    """
    message = pae(envelope.payload_type, envelope.payload)
    for key in keys:
        name = key_id(key)
        for signature in envelope.signatures:
            if signature.keyid in {None, "", name} and has_signed(key, signature.sig, message):
                return Verified(envelope.payload, envelope.payload_type, name)
    return None
