"""The secrets of a run: made, taken from the environment, presented, and kept out of all that is written."""

import hashlib
import json
import re
import secrets
import threading
import time
from collections.abc import Mapping
from typing import Any, TypeGuard

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from harness.config.auth import AuthSettings, CredentialSettings, SignerSettings, TokenSettings
from harness.errors import UsageError
from harness.template import fill
from harness.tls import Certificates

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
RSA_BITS = 2048
# Shorter ones would be found in innocent text when they are replaced; others no header can carry.
GIVEN_KEY = re.compile(r"[\x21-\x7e]{16,}")


class Signer:
    """A key pair that signs tokens.

    Attributes:
        private_key: PEM, PKCS 8.
        public_key: PEM, SubjectPublicKeyInfo.
        jwk: The public key as JSON Web Key (RFC 7517), with ``alg``, and ``kid`` if the signer has one.
    """

    def __init__(self, settings: SignerSettings, private_pem: bytes | None = None) -> None:
        """Load ``private_pem`` or make a new pair.

        Raises:
            ValueError: when the PEM is not a private key of the algorithm's type.
        """
        self.algorithm = settings.algorithm
        self.kid = settings.kid
        key = (
            _new_key(settings)
            if private_pem is None
            else serialization.load_pem_private_key(private_pem, None)
        )
        if not _fits(key, settings.algorithm):
            raise ValueError(f"not a private key for {settings.algorithm}")
        self._key = key  # parsing the PEM for each token would take longer than signing it
        self._jws = jwt.get_algorithm_by_name(settings.algorithm)
        self.private_key = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.public_key = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        published = self._jws.to_jwk(key.public_key(), as_dict=True)
        self.jwk = {**published, "alg": self.algorithm, **self._key_id()}

    def header(self, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The header of a token, with ``changes`` in place of the valid fields."""
        return {"alg": self.algorithm, "typ": "JWT", **self._key_id(), **(changes or {})}

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A compact JWS over ``claims``."""
        return jwt.encode(dict(claims), self._key, algorithm=self.algorithm, headers=self._key_id())

    def signature(self, signed: str) -> bytes:
        """The signature of a token's encoded header and payload, by the signer's own algorithm."""
        return self._jws.sign(signed.encode(), self._key)

    def _key_id(self) -> dict[str, str]:
        return {"kid": self.kid} if self.kid else {}


def _fits(key: object, algorithm: str) -> TypeGuard[PrivateKey]:
    if algorithm == "RS256":
        return isinstance(key, rsa.RSAPrivateKey)
    return isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)


def _new_key(settings: SignerSettings) -> PrivateKey:
    if settings.algorithm == "RS256":
        return rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    return ec.generate_private_key(ec.SECP256R1())


class Credentials:
    """All secrets of one run, shared by reference and candidate so that the same requests fit both.

    They are random and not seeded: a secret that follows from the report's seed would be none.

    Attributes:
        certificates: For services that speak TLS; made when first asked for.
    """

    def __init__(self, settings: AuthSettings, environ: Mapping[str, str], *, generate: bool = True) -> None:
        """Make what is not in ``environ``.

        Args:
            settings: ``[auth]`` of the suite.
            environ: Searched for ``GATE_KEY_<NAME>`` and ``GATE_SIGNER_<NAME>_PEM``.
            generate: False for a URL: its secrets were made elsewhere, so they must all be given.

        Raises:
            UsageError: naming the variable that is missing or wrong.
        """
        self._settings = settings
        self._lock = threading.Lock()
        self._secrets: dict[str, str] = {}
        self._tokens: dict[str, tuple[int, str]] = {}
        self._keys: dict[str, str] = {}
        self._given: list[str] = []
        self._pattern: re.Pattern[str] | None = None
        self.certificates = Certificates(self.keep_secret)
        for name in settings.keys:
            variable = f"GATE_KEY_{name.upper()}"
            given = _given(environ, variable, generate=generate)
            if given is not None and not GIVEN_KEY.fullmatch(given):
                raise UsageError(
                    f"environment variable {variable} is no usable secret",
                    fix="at least 16 characters of printable ASCII, without spaces",
                )
            self._keys[name] = given or secrets.token_urlsafe(32)
            if given:
                self._given.append(given)
            self.keep_secret(self._keys[name], f"${variable}")
        self._signers: dict[str, Signer] = {}
        for name, signer in settings.signers.items():
            variable = f"GATE_SIGNER_{name.upper()}_PEM"
            pem = _given(environ, variable, generate=generate)
            try:
                self._signers[name] = Signer(signer, pem.encode() if pem else None)
            except ValueError as error:
                raise UsageError(
                    f"environment variable {variable}: {error}", fix="a PEM private key, not encrypted"
                ) from error

    def template_values(self) -> dict[str, str]:
        """What a template in ``[service]`` may use: keys, their SHA-256, public keys as PEM and JWK."""
        values: dict[str, str] = {}
        for name, key in self._keys.items():
            values[f"key.{name}"] = key
            values[f"key.{name}.sha256"] = hashlib.sha256(key.encode()).hexdigest()
        for name, signer in self._signers.items():
            values[f"signer.{name}.public_key_pem"] = signer.public_key.decode()
            values[f"signer.{name}.jwk"] = json.dumps(signer.jwk)
            values[f"signer.{name}.jwks"] = json.dumps({"keys": [signer.jwk]})
        return values

    @property
    def given(self) -> frozenset[bytes]:
        """The keys that were not made for this run: others may know them."""
        return frozenset(key.encode() for key in self._given)

    def key(self, name: str) -> str:
        """The secret of that name."""
        return self._keys[name]

    def signer(self, name: str) -> Signer:
        """The key pair of that name."""
        return self._signers[name]

    def settings(self, name: str) -> CredentialSettings:
        """A credential as the suite declares it."""
        return self._settings.credentials[name]

    def claims(self, token: TokenSettings, *, now: float | None = None) -> dict[str, Any]:
        """The claims of a valid token, as :class:`TokenSettings` says; times in whole seconds."""
        issued = int(time.time() if now is None else now)
        return {"iat": issued, "nbf": issued, "exp": issued + token.lifetime_s, **token.claims}

    def headers(self, name: str | None) -> dict[str, str]:
        """The headers that present a credential; none for None."""
        if name is None:
            return {}
        credential = self._settings.credentials[name]
        if credential.token is None:
            return self.fill_headers(credential)
        return self.fill_headers(credential, token=self.token(name))

    def token(self, name: str) -> str:
        """A valid token of the credential of that name, which has to have one."""
        settings = self._settings.credentials[name].token
        if settings is None:
            raise ValueError(f"credential {name!r} has no token")
        now = int(time.time())
        issued, token = self._tokens.get(name, (now, ""))
        # A clock that was put back makes a token one of the future, which a service refuses.
        if not token or not issued <= now < issued + settings.lifetime_s / 2:
            token = self._signers[settings.signer].sign(self.claims(settings, now=now))
            self._tokens[name] = (now, token)
            self.keep_secret(token, "$GATE_TOKEN")
        return token

    def fill_headers(self, credential: CredentialSettings, *, token: str | None = None) -> dict[str, str]:
        """The credential's headers around ``token``, which is kept secret from then on."""
        values = self.template_values()
        if token is not None:
            values["token"] = token
            self.keep_secret(token, "$GATE_TOKEN")
        return {header: fill(value, values) for header, value in credential.headers.items()}

    def shown_headers(self, name: str | None) -> dict[str, str]:
        """The headers with a shell variable for each secret, for a curl command."""
        return {header: self.redact(value) for header, value in self.headers(name).items()}

    def keep_secret(self, secret: str, shown: str = "***") -> None:
        """Have :meth:`redact` replace ``secret`` by ``shown``, also where JSON quotes it once or twice."""
        with self._lock:
            for _ in range(3):
                self._secrets[secret] = shown
                secret = json.dumps(secret)[1:-1]
            self._pattern = None

    def stand_in(self, text: str) -> bool:
        """Whether a secret of this run is somewhere in ``text``."""
        return self.redact(text) != text

    def redact(self, text: str) -> str:
        """``text`` without any secret of this run."""
        with self._lock:
            if self._pattern is None:
                # One secret may begin another.
                longest_first = sorted(self._secrets, key=len, reverse=True)
                self._pattern = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")
            return self._pattern.sub(lambda found: self._secrets[found[0]], text)


def _given(environ: Mapping[str, str], variable: str, *, generate: bool) -> str | None:
    value = environ.get(variable)
    if value is None and not generate:
        raise UsageError(
            f"environment variable {variable} is not set",
            fix="a URL already has its secrets: give each one that [auth] names in its variable",
        )
    if value == "":
        raise UsageError(f"environment variable {variable} is empty", fix="set it to the secret or unset it")
    return value
