"""A keyed digest of what a request asks about: the same rows can be found again, and are not revealed.

A plain digest of few or low-entropy values can be found by trying values; HMAC-SHA256 (RFC 2104) only by who
has the key as well.
"""

import hmac
import secrets
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reference_service.errors import KeyFileError
from reference_service.telemetry.shared import shared_key

MIN_KEY_BYTES = 16
DIGEST_BYTES = 16
"""128 bits: enough to tell inputs apart, and half the length in the log."""


class InputHash:
    """Digests tensors with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __call__(self, values: NDArray[np.generic]) -> str:
        """Return the first 128 bits of the HMAC of a tensor's raw bytes in C order, in hexadecimal."""
        return hmac.digest(self._key, values.tobytes(), "sha256")[:DIGEST_BYTES].hex()


def read_key(path: Path | None) -> bytes:
    """Return the key in a file, without a final line break; one of this start if there is no file.

    Raises:
        KeyFileError: The file can't be read, or is too short to be a key.
    """
    if path is None:
        return shared_key() or secrets.token_bytes(MIN_KEY_BYTES)
    try:
        key = path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from error
    if len(key) < MIN_KEY_BYTES:
        raise KeyFileError(f"{path}: a key has at least {MIN_KEY_BYTES} bytes: openssl rand -hex 32")
    return key
