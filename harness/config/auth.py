"""Which secrets and credentials the gate makes for a run, and where the service expects them."""

from typing import Annotated, Any, Literal

from pydantic import Field

from harness.config.section import Section
from harness.config.sent import Headers

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class SignerSettings(Section):
    """A key pair that signs JSON Web Tokens; made anew for each run."""

    algorithm: Literal["RS256", "ES256"] = "RS256"
    kid: str | None = None


class TokenSettings(Section):
    """A valid token: claims as the service requires them.

    ``iat`` and ``nbf`` are now, ``exp`` is ``lifetime_s`` later, unless ``claims`` has them.
    """

    signer: Name
    claims: dict[str, Any] = {}
    lifetime_s: Annotated[int, Field(gt=0)] = 3600


class CredentialSettings(Section):
    """How a caller presents itself: header templates over ``${key.NAME}`` and ``${token}``."""

    headers: Headers
    token: TokenSettings | None = None


class AuthSettings(Section):
    """``[auth]``.

    Attributes:
        keys: Names of the secrets to make. Each is random per run, unless the environment variable
            ``GATE_KEY_<NAME>`` holds it (always needed for a URL, whose secrets are not ours to make).
        signers: Key pairs; the private key is taken from ``GATE_SIGNER_<NAME>_PEM`` where that is set.
        credentials: What checks refer to by name.
    """

    keys: tuple[Name, ...] = ()
    signers: dict[Name, SignerSettings] = {}
    credentials: dict[Name, CredentialSettings] = {}
