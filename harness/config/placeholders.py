"""Holds the placeholders of gate.toml against what a run can fill in, before anything is started."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from harness.config.auth import AuthSettings
from harness.config.service import ServiceSettings
from harness.errors import ConfigError
from harness.template import PLACEHOLDER

_Template = tuple[str, str, Collection[str]]
CERTIFICATES = ("tls.server.certificate", "tls.server.key", "tls.client_ca.certificate")
"""In files of a variant, which may speak TLS."""
PUBLIC_KEY_FORMS = ("public_key_pem", "jwk", "jwks")


def require_known(service: ServiceSettings, auth: AuthSettings, path: Path) -> None:
    """Every placeholder of ``[service]`` and ``[auth]``, and every signer that a token names, exists.

    Raises:
        ConfigError: for the first that does not.
    """
    for name, credential in auth.credentials.items():
        signer = credential.token.signer if credential.token else None
        if signer is not None and signer not in auth.signers:
            raise ConfigError(
                file=path,
                key=f"auth.credentials.{name}.token.signer",
                value=signer,
                problem="no such signer",
                allowed=f"a name under [auth.signers]: {', '.join(auth.signers) or 'none is declared'}",
            )
    for key, text, known in _templates(service, auth):
        for name in PLACEHOLDER.findall(text):
            if name not in known:
                raise ConfigError(
                    file=path,
                    key=key,
                    value=f"${{{name}}}",
                    problem="no such placeholder",
                    allowed=", ".join(known) or "none here",
                )


def _templates(service: ServiceSettings, auth: AuthSettings) -> Iterator[_Template]:
    """Each template with its key and the names that it may use (docs/gate-toml.md)."""
    keys = [f"key.{name}" for name in auth.keys]
    secrets = [
        *keys,
        *(f"{key}.sha256" for key in keys),
        *(f"signer.{name}.{form}" for name in auth.signers for form in PUBLIC_KEY_FORMS),
    ]
    yield from _credentials(auth, secrets)
    for name, file in service.files.items():
        yield f"service.files.{name}.content", file.content, [*secrets, "device"]
    started = [*secrets, "device", "host", "port", *(f"file.{name}" for name in service.files)]
    for name, text in service.environment.items():
        yield f"service.environment.{name}", text, started
    if service.gpu is not None:
        for name, text in service.gpu.environment.items():
            yield f"service.gpu.environment.{name}", text, started
    yield from _variants(service, secrets, started)
    yield from _companions(service, secrets)
    if service.process is not None:
        for name, text in service.process.environment.items():
            yield f"service.process.environment.{name}", text, [*started, "python"]
        # Every user of the machine can read the arguments of a process.
        public = [name for name in started if name not in keys]
        for index, text in enumerate(service.process.command):
            yield f"service.process.command.{index}", text, [*public, "python"]


def _credentials(auth: AuthSettings, secrets: Sequence[str]) -> Iterator[_Template]:
    for name, credential in auth.credentials.items():
        token = ["token"] if credential.token else []
        for header, text in credential.headers.items():
            yield f"auth.credentials.{name}.headers.{header}", text, [*secrets, *token]


def _variants(
    service: ServiceSettings, secrets: Sequence[str], started: Sequence[str]
) -> Iterator[_Template]:
    for variant, settings in service.variants.items():
        known = [*secrets, "device", *CERTIFICATES]
        for name, file in settings.files.items():
            yield f"service.variants.{variant}.files.{name}.content", file.content, known
        handed = [*started, *(f"file.{name}" for name in settings.files)]
        for name, text in settings.environment.items():
            yield f"service.variants.{variant}.environment.{name}", text, handed


def _companions(service: ServiceSettings, secrets: Sequence[str]) -> Iterator[_Template]:
    for companion, settings in service.companions.items():
        key = f"service.companions.{companion}"
        for name, file in settings.files.items():
            yield f"{key}.files.{name}.content", file.content, secrets
        handed = [*secrets, *(f"file.{name}" for name in settings.files)]
        for name, text in settings.environment.items():
            yield f"{key}.environment.{name}", text, handed
