"""Who is asking: an API key or a signed token becomes a principal with scopes and limits."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from starlette.datastructures import Headers

from reference_service.access.apikeys import ApiKey, parse_keys
from reference_service.access.fingerprints import require_declared
from reference_service.access.jwks import PublicKey, parse_jwks
from reference_service.access.mounted import Reloaded, read_mounted, tell_nobody
from reference_service.access.tokens import TokenError, TokenVerifier
from reference_service.errors import ApiError
from reference_service.settings import Settings
from reference_service.telemetry.logs import LOGGER

CHALLENGE = 'ApiKey realm="inference", Bearer realm="inference"'
INVALID_TOKEN = f'{CHALLENGE}, error="invalid_token"'
"""RFC 6750, section 3: the parameter belongs to the scheme before it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """An authenticated caller.

    Attributes:
        identity: The client of an API key or the subject of a token, with its kind; rate limits count by it.
        key_id: Of the API key, or the `kid` of the public key that verified the token.
        scopes: What it may do.
        quota: Of its own, of requests; None: the default one. `rows_quota` and `metadata_quota` alike.
        models: Model versions that may predict for it; None: any.
        max_batch: Most rows of a batch; None: as many as the service takes.
    """

    identity: str
    scopes: frozenset[str]
    key_id: str = ""
    quota: str | None = None
    rows_quota: str | None = None
    metadata_quota: str | None = None
    models: frozenset[str] | None = None
    max_batch: int | None = None


KnownKeys = tuple[tuple[ApiKey, Principal], ...]
"""Each key with the caller who has it, made once for all requests."""


class RefusedError(ApiError):
    """401 of a credential that was presented.

    Attributes:
        told: What the log is to tell besides: why, and of a known key which one.
    """

    def __init__(self, message: str, challenge: str, **told: str) -> None:
        super().__init__(401, "invalid_credentials", message, headers={"WWW-Authenticate": challenge})
        self.told: Mapping[str, str] = told


class Authenticator:
    """Turns request headers into a principal. If an API key is presented, it alone decides."""

    def __init__(self, known_keys: Callable[[], KnownKeys], verifier: TokenVerifier | None) -> None:
        self._known_keys = known_keys
        self._verifier = verifier

    def authenticate(self, headers: Headers) -> Principal:
        """Return the caller.

        Raises:
            ApiError: 401, without telling which part of a credential is wrong; of one that was presented,
                a `RefusedError`.
        """
        presented = headers.getlist("x-api-key")
        if presented:
            return self._by_key(presented)
        authorization = headers.getlist("authorization")
        if authorization:
            return self._by_token(authorization)
        raise ApiError(
            401,
            "missing_credentials",
            "an API key or a bearer token is required",
            headers={"WWW-Authenticate": CHALLENGE},
        )

    def _by_key(self, presented: list[str]) -> Principal:
        """Find the key by its digest, in constant time for every key of the file."""
        digest = hashlib.sha256(presented[0].encode("latin-1")).hexdigest()
        matches = [holder for holder in self._known_keys() if hmac.compare_digest(holder[0].sha256, digest)]
        if len(presented) != 1 or not presented[0] or not matches:
            raise RefusedError("the API key is not valid", CHALLENGE, reason="no such API key")
        key, principal = matches[0]
        if reason := key.refusal(datetime.now(UTC)):
            raise RefusedError("the API key is not valid", CHALLENGE, reason=reason, key_id=key.id)
        return principal

    def _by_token(self, authorization: list[str]) -> Principal:
        """Verify the bearer token; its subject is the identity."""
        scheme, _, token = authorization[0].partition(" ")
        if len(authorization) != 1 or scheme.lower() != "bearer":
            raise RefusedError(
                "the Authorization header is not valid", CHALLENGE, reason="not one bearer token"
            )
        if self._verifier is None:
            raise RefusedError("the bearer token is not valid", INVALID_TOKEN, reason="no key set is mounted")
        try:
            claims, kid = self._verifier.verified(token.strip())
        except TokenError as error:
            raise RefusedError("the bearer token is not valid", INVALID_TOKEN, reason=str(error)) from error
        return Principal(
            identity=f"subject:{claims.sub}",
            key_id=kid,
            scopes=claims.scopes,
            models=None if claims.models is None else frozenset(claims.models),
            max_batch=claims.max_batch,
        )


def build_authenticator(
    settings: Settings, tell_stale: Callable[[str], Callable[[float], None]] = lambda _file: tell_nobody
) -> Authenticator:
    """Read the mounted key files, which are read again when they change.

    Args:
        settings: Which files.
        tell_stale: Gives for `api_keys` and `jwks` who is told whether the file is stale, see `Reloaded`.

    Raises:
        KeyFileError: A file is named but missing, wrong or not the declared one.
    """
    verifier = None
    if not (settings.api_keys_file or settings.jwks_file):
        LOGGER.warning(
            "nobody can authenticate: neither SERVICE_API_KEYS_FILE nor SERVICE_JWKS_FILE is set, "
            "and every protected request is answered 401"
        )
    if settings.jwks_file and settings.jwt_issuer and settings.jwt_audience:
        verifier = TokenVerifier(
            keys=_public_keys(settings.jwks_file, settings.secret_fingerprints_file, tell_stale("jwks")),
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
            leeway_s=settings.jwt_leeway_s,
        )
    if settings.api_keys_file:
        holders = _api_keys(settings.api_keys_file, settings.secret_fingerprints_file, tell_stale("api_keys"))
        return Authenticator(holders, verifier)
    return Authenticator(tuple, verifier)


def _api_keys(
    file: Path, declaration: Path | None, tell_stale: Callable[[float], None]
) -> Callable[[], KnownKeys]:
    def read() -> KnownKeys:
        content = read_mounted(file)
        require_declared(declaration, "api_keys_file", file, [hashlib.sha256(content).hexdigest()])
        return tuple((key, _principal(key)) for key in parse_keys(file, content))

    return Reloaded(read, file, declaration, tell_stale=tell_stale).current


def _principal(key: ApiKey) -> Principal:
    return Principal(
        identity=f"key:{key.client}",
        key_id=key.id,
        scopes=key.scopes,
        quota=key.quota,
        rows_quota=key.rows_quota,
        metadata_quota=key.metadata_quota,
        models=key.models,
        max_batch=key.max_batch,
    )


def _public_keys(
    file: Path, declaration: Path | None, tell_stale: Callable[[float], None]
) -> Callable[[], tuple[PublicKey, ...]]:
    def read() -> tuple[PublicKey, ...]:
        keys = parse_jwks(file, read_mounted(file))
        require_declared(declaration, "jwks_file", file, [key.thumbprint for key in keys])
        return keys

    return Reloaded(read, file, declaration, tell_stale=tell_stale).current
