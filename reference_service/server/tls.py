"""TLS: the mounted certificate and key, what clients must offer, and whose certificates they need."""

import hashlib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from reference_service.access.fingerprints import require_declared
from reference_service.access.mounted import Reloaded, read_mounted, tell_nobody
from reference_service.errors import KeyFileError
from reference_service.settings import Settings
from reference_service.telemetry.logs import LOGGER

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Of TLS 1.2: forward secrecy and authenticated encryption. Those of TLS 1.3 all have both."""
HANDSHAKE_TIMEOUT_S = 5
"""Alone bounds those who never shake hands: the event loop tells of a connection when it has."""
MIN_RSA_BITS = 2048
MIN_CURVE_BITS = 256
FORBIDDEN_MODE = 0o037
"""Of the key's file: the group may read it, others may do nothing."""


class Loop(uvloop.Loop):
    """Closes a connection whose handshake takes too long; the library's own bound is a minute."""

    async def create_server(self, *args: Any, **kwargs: Any) -> Any:
        """Listen."""
        if kwargs.get("ssl"):
            kwargs["ssl_handshake_timeout"] = HANDSHAKE_TIMEOUT_S
        return await super().create_server(*args, **kwargs)


def server_context(
    settings: Settings, tell_stale: Callable[[float], None] = tell_nobody
) -> ssl.SSLContext | None:
    """Return what connections are made with, or None for plain text; renewed files are used from then on.

    Args:
        settings: Which files.
        tell_stale: Who is told whether they are stale, see `Reloaded`.

    Raises:
        KeyFileError: A file can't be used, or is not the declared one.
    """
    cert_file, key_file, ca_file = settings.tls_cert_file, settings.tls_key_file, settings.tls_client_ca_file
    declaration = settings.secret_fingerprints_file
    if not cert_file or not key_file:
        return None

    def read() -> ssl.SSLContext:
        certificate = check_certificate(cert_file)
        require_declared(declaration, "tls_cert_file", cert_file, [spki_fingerprint(certificate)])
        check_key(key_file, certificate, cert_file)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        context.set_alpn_protocols(["http/1.1"])
        context.options |= ssl.OP_NO_RENEGOTIATION
        try:
            context.load_cert_chain(cert_file, key_file)
        except (ssl.SSLError, OSError) as error:
            raise KeyFileError(f"{cert_file}, {key_file}: can't be used: {error.strerror}") from error
        if ca_file:
            issuers = read_mounted(ca_file)  # once: what was checked is what is trusted
            digest = hashlib.sha256(issuers).hexdigest()
            require_declared(declaration, "tls_client_ca_file", ca_file, [digest])
            require_client_certificates(context, _certificates(ca_file, issuers), ca_file, certificate)
        return context

    renewed = Reloaded(read, cert_file, key_file, ca_file, declaration, tell_stale=tell_stale)
    context = renewed.current()

    def use_renewed(handshake: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        handshake.context = renewed.current()

    context.sni_callback = use_renewed  # called in each handshake, whether the client names a server or not
    return context


def check_certificate(file: Path) -> x509.Certificate:
    """Return the first certificate of a file, the service's own.

    Raises:
        KeyFileError: There is none, it is not valid now, or its key is weak.
    """
    certificate = _certificates(file, read_mounted(file))[0]
    if not _valid_now(certificate):
        raise KeyFileError(
            f"{file}: is valid from {certificate.not_valid_before_utc.isoformat()} to "
            f"{certificate.not_valid_after_utc.isoformat()}, and now it is {datetime.now(UTC).isoformat()}"
        )
    key = certificate.public_key()
    strong = (isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_RSA_BITS) or (
        isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= MIN_CURVE_BITS
    )
    if not strong:
        raise KeyFileError(
            f"{file}: its key must be RSA of at least {MIN_RSA_BITS} bits, or elliptic of {MIN_CURVE_BITS}"
        )
    return certificate


def check_key(file: Path, certificate: x509.Certificate, cert_file: Path) -> None:
    """Check the private key of a certificate.

    Raises:
        KeyFileError: Others may read it, it is encrypted or no key, or it is the key of something else.
    """
    content = read_mounted(file)
    mode = file.stat().st_mode & 0o777
    if mode & FORBIDDEN_MODE:
        raise KeyFileError(
            f"{file}: has mode {mode:04o}; a private key must not be open to others: chmod 0400, "
            "or 0440 and the service's group"
        )
    try:
        key = load_pem_private_key(content, None)
    except (ValueError, TypeError) as error:
        raise KeyFileError(f"{file}: must hold one private key as PEM, not encrypted") from error
    of_it = isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) and (
        _spki(key.public_key()) == _spki(certificate.public_key())
    )
    if not of_it:
        raise KeyFileError(f"{file}: is not the private key of {cert_file}")


def require_client_certificates(
    context: ssl.SSLContext, issuers: list[x509.Certificate], file: Path, own: x509.Certificate
) -> None:
    """Let nobody in without a certificate that one of the issuers, read from the file, issued.

    The service's own certificate is accepted besides: with it the health check asks, which has the key.

    Raises:
        KeyFileError: The file has no certificate that is valid now.
    """
    if not any(_valid_now(issuer) for issuer in issuers):
        raise KeyFileError(f"{file}: none of its certificates is valid now")
    context.verify_mode = ssl.CERT_REQUIRED
    for trusted in (*issuers, own):
        context.load_verify_locations(cadata=trusted.public_bytes(Encoding.DER))
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    # Each connection shows its certificate: a resumed session would outlive it.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    if not _may_be_client(own):
        LOGGER.warning(
            "the health check can't connect: the service's certificate is not for clientAuth as well"
        )


def spki_fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate's SubjectPublicKeyInfo in DER, hex: it outlives a renewal."""
    return hashlib.sha256(_spki(certificate.public_key())).hexdigest()


def _certificates(file: Path, content: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise KeyFileError(f"{file}: must hold certificates as PEM") from error


def _valid_now(certificate: x509.Certificate) -> bool:
    return certificate.not_valid_before_utc <= datetime.now(UTC) < certificate.not_valid_after_utc


def _may_be_client(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.CLIENT_AUTH in usage


def _spki(key: CertificatePublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
