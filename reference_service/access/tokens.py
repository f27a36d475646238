"""Verifies JSON Web Tokens: by a key of the key set and its one algorithm, for one issuer and audience."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any

import jwt
from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from reference_service.access.jwks import PublicKey

REQUIRED_CLAIMS = ["exp", "nbf", "iss", "aud", "sub"]


class TokenError(Exception):
    """The token is not accepted. Its message is for the log, not for the client."""


class Claims(BaseModel):
    """What a token says about its subject; a wrong type is a wrong token, never a lifted restriction.

    Attributes:
        exp: Its end, in seconds, already verified; a number in quotes is none (RFC 7519, section 2).
        nbf: Its beginning, likewise.
        sub: Whose token it is.
        scope: Separated by spaces; anything but text allows nothing.
        models: Model versions that may predict for it; None: any.
        max_batch: Most rows of a batch; None: as many as the service takes.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    exp: float
    nbf: float
    sub: Annotated[str, Field(min_length=1)]
    scope: Any = None
    models: list[str] | None = None
    max_batch: PositiveInt | None = None

    @property
    def scopes(self) -> frozenset[str]:
        """The single scopes."""
        return frozenset(self.scope.split() if isinstance(self.scope, str) else ())


@dataclass(frozen=True, kw_only=True)
class TokenVerifier:
    """Accepts tokens signed by one of the keys, for one issuer and audience."""

    keys: Callable[[], tuple[PublicKey, ...]]
    issuer: str
    audience: str
    leeway_s: int

    def verified(self, token: str) -> tuple[Claims, str]:
        """Return the claims of a valid token, and the `kid` of the key that verified it.

        Raises:
            TokenError: Key, signature, algorithm, time, issuer, audience, a claim or the form is wrong.
        """
        try:
            key = self._key_of(_header(token.partition(".")[0]))
            # The key says which algorithm: `none`, an HMAC keyed with the public key and one key type's token
            # under another's name are refused.
            claims = jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm],
                audience=self.audience,
                issuer=self.issuer,
                leeway=self.leeway_s,
                options={"require": REQUIRED_CLAIMS},
            )
            return Claims.model_validate(claims), key.kid
        except TokenError:
            raise
        except Exception as error:  # whatever a hostile token sets off, it is refused
            raise TokenError(type(error).__name__) from error

    def _key_of(self, header: Mapping[str, Any]) -> PublicKey:
        """Find the key that `kid` names, or without one the only key of the algorithm; nothing is fetched."""
        keys = self.keys()
        if "kid" in header:
            fitting = [key for key in keys if key.kid == header["kid"]]
        else:
            fitting = [key for key in keys if key.algorithm == header.get("alg")]
        if len(fitting) != 1 or header.get("alg") != fitting[0].algorithm:
            raise TokenError("no such key")
        return fitting[0]


@lru_cache(maxsize=64)
def _header(encoded: str) -> Mapping[str, Any]:
    """Read the first part of a token, which the tokens of one key share."""
    return MappingProxyType(jwt.get_unverified_header(f"{encoded}.."))
