"""Who is asking: an API key or a signed token becomes a principal with scopes."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator
from starlette.datastructures import Headers

from reference_service.access.tokens import KeyFileError, TokenError, TokenVerifier, read_public_keys
from reference_service.api.errors import ApiError
from reference_service.model.manifest import Part, Sha256
from reference_service.problems import first_problem
from reference_service.settings import Quota, Settings

CHALLENGE = {"WWW-Authenticate": 'ApiKey realm="inference", Bearer realm="inference"'}


Scope = Literal["predict", "metadata"]
"""What a key may be allowed to do."""


class ApiKey(Part):
    """One line of the keys file: the key itself is never stored, only its SHA-256."""

    id: Annotated[str, Field(min_length=1, max_length=128)]
    sha256: Sha256
    scopes: frozenset[Scope]
    quota: Quota | None = None
    rows_quota: Quota | None = None
    metadata_quota: Quota | None = None


class KeysFile(Part):
    """The content of the keys file; two keys with one id would share a quota."""

    keys: tuple[ApiKey, ...]

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        if len({key.id for key in self.keys}) < len(self.keys):
            raise ValueError("two keys have the same id")
        if len({key.sha256 for key in self.keys}) < len(self.keys):
            raise ValueError("two keys have the same sha256")
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """An authenticated caller; `identity` is what its rate limits count by, by default quotas where None."""

    identity: str
    scopes: frozenset[str]
    quota: str | None = None
    rows_quota: str | None = None
    metadata_quota: str | None = None


class Authenticator:
    """Turns request headers into a principal. If an API key is presented, it alone decides."""

    def __init__(self, keys: tuple[ApiKey, ...], verifier: TokenVerifier | None) -> None:
        self._keys = keys
        self._verifier = verifier

    def authenticate(self, headers: Headers) -> Principal:
        """Return the caller.

        Raises:
            ApiError: 401, without telling which part of a credential is wrong.
        """
        presented = headers.getlist("x-api-key")
        if presented:
            return self._by_key(presented)
        authorization = headers.getlist("authorization")
        if authorization:
            return self._by_token(authorization)
        raise _refused("missing_credentials", "an API key or a bearer token is required")

    def _by_key(self, presented: list[str]) -> Principal:
        """Find the key by its digest, in constant time for every key of the file."""
        digest = hashlib.sha256(presented[0].encode("latin-1")).hexdigest()
        matches = [key for key in self._keys if hmac.compare_digest(key.sha256, digest)]
        if len(presented) != 1 or not presented[0] or not matches:
            raise _refused("invalid_credentials", "the API key is not valid")
        key = matches[0]
        return Principal(
            identity=f"key:{key.id}",
            scopes=key.scopes,
            quota=key.quota,
            rows_quota=key.rows_quota,
            metadata_quota=key.metadata_quota,
        )

    def _by_token(self, authorization: list[str]) -> Principal:
        """Verify the bearer token; its subject (or issuer, if it has none) is the identity."""
        scheme, _, token = authorization[0].partition(" ")
        if len(authorization) != 1 or scheme.lower() != "bearer" or self._verifier is None:
            raise _refused("invalid_credentials", "the Authorization header is not valid")
        try:
            claims = self._verifier.claims(token.strip())
        except TokenError as error:
            raise _refused("invalid_credentials", "the bearer token is not valid") from error
        scope = claims.get("scope")
        scopes = frozenset(scope.split()) if isinstance(scope, str) else frozenset[str]()
        return Principal(identity=f"subject:{claims.get('sub', claims['iss'])}", scopes=scopes)


def build_authenticator(settings: Settings) -> Authenticator:
    """Read the mounted key files.

    Raises:
        KeyFileError: A file is named but missing or wrong.
    """
    keys: tuple[ApiKey, ...] = ()
    if settings.api_keys_file:
        try:
            keys = KeysFile.model_validate_json(settings.api_keys_file.read_bytes()).keys
        except OSError as error:
            raise KeyFileError(f"{settings.api_keys_file}: {error.strerror}") from error
        except ValidationError as error:
            raise KeyFileError(f"{settings.api_keys_file}: {first_problem(error)}") from error
    verifier = None
    if settings.jwt_public_key_file and settings.jwt_issuer and settings.jwt_audience:
        verifier = TokenVerifier(
            keys=read_public_keys(settings.jwt_public_key_file),
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
            leeway_s=settings.jwt_leeway_s,
        )
    return Authenticator(keys, verifier)


def _refused(code: str, message: str) -> ApiError:
    """Build a 401 with its challenge."""
    return ApiError(401, code, message, headers=CHALLENGE)
