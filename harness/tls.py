"""The certificates of a run: made anew, trusted by nobody else, and good for an hour or two."""

import ipaddress
import ssl
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness.errors import InfrastructureError
from harness.targets.scratch import ScratchFolder

Version = Literal["1.0", "1.1", "1.2", "1.3"]
ClientCertificate = Literal["valid", "other", "expired", "none"]
VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
ANY_CIPHER = "ALL:@SECLEVEL=0"
"""What the client offers is not what is tested: an old version needs ciphers that are off by default."""
LIFETIME = timedelta(hours=12)
CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> str:
        """PEM."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        """PEM, PKCS 8."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class Certificates:
    """A server's certificate, and clients' certificates of an authority that the service is told of.

    Args:
        keep_secret: Called with each private key.
    """

    def __init__(self, keep_secret: Callable[[str], None]) -> None:
        self._keep_secret = keep_secret

    @cached_property
    def _pairs(self) -> dict[str, Pair]:
        server_ca, client_ca, other_ca = (_authority(name) for name in ("server", "client", "other"))
        pairs = {
            "server_ca": server_ca,
            "client_ca": client_ca,
            "server": _leaf(server_ca, "server"),
            "valid": _leaf(client_ca, "client"),
            "other": _leaf(other_ca, "client"),
            "expired": _leaf(client_ca, "client", ended=True),
        }
        for pair in pairs.values():
            self._keep_secret(pair.key_pem.strip())
        return pairs

    def template_values(self) -> dict[str, str]:
        """What a template of ``[service.variants]`` may use, as PEM."""
        return {
            "tls.server.certificate": self._pairs["server"].certificate_pem,
            "tls.server.key": self._pairs["server"].key_pem,
            "tls.client_ca.certificate": self._pairs["client_ca"].certificate_pem,
        }

    def context(
        self, *, version: Version | None = None, client: ClientCertificate = "valid"
    ) -> ssl.SSLContext:
        """What a client connects with: it trusts the server's authority and nothing else.

        Args:
            version: The only one that it offers; None offers what is current.
            client: The certificate that it shows when asked for one; "other" is of an authority that the
                service does not know.

        Raises:
            InfrastructureError: this machine's OpenSSL cannot offer that version.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=self._pairs["server_ca"].certificate_pem)
        if client != "none":
            _present(context, self._pairs[client])
        if version is not None:
            _only(context, version)
            self._require_offered(version)
        return context

    def _require_offered(self, version: Version) -> None:
        """Shake hands with ourselves: otherwise a version that never left this machine would seem refused."""
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _present(server, self._pairs["server"])
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.load_verify_locations(cadata=self._pairs["server_ca"].certificate_pem)
        for context in (server, client):
            _only(context, version)
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        ends = [
            client.wrap_bio(to_client, to_server, server_hostname="localhost"),
            server.wrap_bio(to_server, to_client, server_side=True),
        ]
        try:
            while ends:
                ends = [end for end in ends if not _shaken(end)]
        except ssl.SSLError as error:
            raise InfrastructureError(
                f"the OpenSSL of this machine does not speak TLS {version}: {error}",
                fix="leave out the steps with this version, or run where it is built in",
            ) from error


def _shaken(end: ssl.SSLObject) -> bool:
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def _only(context: ssl.SSLContext, version: Version) -> None:
    context.set_ciphers(ANY_CIPHER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are offered to be refused
        context.minimum_version = context.maximum_version = VERSIONS[version]


def _present(context: ssl.SSLContext, pair: Pair) -> None:
    """The library takes a certificate from a file only."""
    with ScratchFolder() as folder:
        path = folder / "pair.pem"
        path.write_text(pair.certificate_pem + pair.key_pem, encoding="utf-8")
        context.load_cert_chain(path)


def _authority(name: str) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _named(f"{name} authority of this run")
    certificate = (
        _builder(key, subject, issuer=subject)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=False,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, SHA256())
    )
    return Pair(certificate, key)


def _leaf(authority: Pair, name: str, *, ended: bool = False) -> Pair:
    """A certificate for either side: a service may ask itself for its health."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = (
        _builder(key, _named(name), issuer=authority.certificate.subject, ended=ended)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False
        )
        .sign(authority.key, SHA256())
    )
    return Pair(certificate, key)


def _builder(
    key: ec.EllipticCurvePrivateKey, subject: x509.Name, *, issuer: x509.Name, ended: bool = False
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    end = now - CLOCKS_DIFFER if ended else now + LIFETIME
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - LIFETIME - CLOCKS_DIFFER)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
