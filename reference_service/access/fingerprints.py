"""Holds what is mounted against fingerprints that were declared beforehand, in a file that is no secret.

Whoever can write where the secrets are mounted could otherwise let themselves in. With the declaration
reviewed and delivered another way, a key that nobody declared is not used. Several fingerprints for one file
let its content be replaced without a gap: declare the new one, mount it, withdraw the old one.
"""

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from reference_service.access.mounted import read_mounted
from reference_service.documents import Part, Sha256
from reference_service.errors import KeyFileError
from reference_service.problems import first_problem
from reference_service.settings import Settings

Thumbprint = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]


class Fingerprints(Part):
    """The declaration; each field is named as the setting that mounts the file, without `SERVICE_`.

    Attributes:
        api_keys_file: SHA-256 of the file, hex.
        jwks_file: Thumbprint of each key (RFC 7638), base64url.
        tls_cert_file: SHA-256 of the certificate's public key (SubjectPublicKeyInfo, DER), hex.
        tls_client_ca_file: SHA-256 of the file, hex; so for those below.
    """

    api_keys_file: tuple[Sha256, ...] = ()
    jwks_file: tuple[Thumbprint, ...] = ()
    tls_cert_file: tuple[Sha256, ...] = ()
    tls_client_ca_file: tuple[Sha256, ...] = ()
    rate_limit_redis_url_file: tuple[Sha256, ...] = ()
    input_hash_key_file: tuple[Sha256, ...] = ()


WHOLE_FILES = ("rate_limit_redis_url_file", "input_hash_key_file")
"""Read once, at the start, and checked then; the other files are checked wherever they are read."""


def require_declared(declaration: Path | None, setting: str, file: Path, found: Collection[str]) -> None:
    """Check the fingerprints of what a file holds.

    Args:
        declaration: The file of fingerprints, read anew each time; None: nothing is declared nor checked.
        setting: The field of `Fingerprints`.
        file: What was mounted.
        found: Its fingerprints.

    Raises:
        KeyFileError: One of them is not declared, or the declaration can't be used.
    """
    if declaration is None:
        return
    declared = getattr(read_fingerprints(declaration), setting)
    if unknown := sorted(set(found) - set(declared)):
        raise KeyFileError(
            f"{file}: its fingerprint {unknown[0]} is not declared; {declaration} declares for {setting}: "
            f"{', '.join(declared) or 'none'}"
        )


def check_declaration(settings: Settings) -> None:
    """Check at the start that every file with a declared fingerprint is mounted, and each whole file.

    Raises:
        KeyFileError: A declared file is not mounted, a mounted one is another, or it can't be used.
    """
    declaration = settings.secret_fingerprints_file
    if declaration is None:
        return
    for setting, declared in read_fingerprints(declaration):
        file: Path | None = getattr(settings, setting)
        if file is None and declared:
            name = f"SERVICE_{setting.upper()}"
            raise KeyFileError(f"{declaration}: {setting}: a fingerprint is declared, but {name} is not set")
        if file is not None and setting in WHOLE_FILES:
            require_declared(declaration, setting, file, [hashlib.sha256(read_mounted(file)).hexdigest()])


def read_fingerprints(declaration: Path) -> Fingerprints:
    """Read the declaration.

    Raises:
        KeyFileError: It can't be read, or says anything else.
    """
    try:
        return Fingerprints.model_validate_json(read_mounted(declaration))
    except ValidationError as error:
        raise KeyFileError(f"{declaration}: {first_problem(error)}") from error
