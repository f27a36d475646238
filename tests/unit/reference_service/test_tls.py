"""Which certificates are served, and which clients and protocols get through a handshake."""

import hashlib
import json
import logging
import ssl

import pytest
from certificates import new_authority
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID
from pydantic import ValidationError

from reference_service.access.mounted import Reloaded
from reference_service.errors import KeyFileError
from reference_service.healthcheck import healthy, pinned_context
from reference_service.server.tls import server_context
from reference_service.settings import Settings


@pytest.fixture
def authority(tmp_path):
    return new_authority(tmp_path, "authority")


@pytest.fixture
def server(authority):
    return authority.issue("server")


def tls_settings(server, **others):
    return Settings(tls_cert_file=server.cert_file, tls_key_file=server.key_file, **others)


def handshake(server, client):
    """Shake hands in memory, and send a byte each way; gives what the client sees, or raises `SSLError`."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        server.wrap_bio(to_server, to_client, server_side=True),
        client.wrap_bio(to_client, to_server, server_hostname="localhost"),
    ]
    waiting = {*ends}
    for _ in range(10):
        for end in ends:
            try:
                end.do_handshake()
                waiting.discard(end)
            except ssl.SSLWantReadError:
                pass
    assert not waiting
    ends[0].write(b"s")
    assert ends[1].read(1) == b"s"  # in TLS 1.3 the client learns only now that it was refused
    return ends[1]


def client_context(authority, **limits):
    context = ssl.create_default_context(cafile=authority.file)
    for name, value in limits.items():
        setattr(context, name, value)
    return context


def test_without_certificate_there_is_no_tls():
    assert server_context(Settings()) is None


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("kind", ["rsa", "P-256", "P-384"])
def test_a_modern_client_gets_through(authority, version, kind):
    keys = {
        "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    }
    server = authority.issue("server", key=keys[kind]())
    client = client_context(authority, minimum_version=version, maximum_version=version)
    seen = handshake(server_context(tls_settings(server)), client)
    assert seen.version() == version.name.replace("_", ".")
    assert "GCM" in seen.cipher()[0] or "CHACHA20" in seen.cipher()[0]


WEAK = [
    "AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES128-SHA256",
    "ECDHE-ECDSA-AES128-SHA",
    "AES256-SHA",
    "DHE+AESGCM",
]


@pytest.mark.parametrize("ciphers", WEAK)
def test_weak_ciphers_are_refused(authority, server, ciphers):
    client = client_context(authority, maximum_version=ssl.TLSVersion.TLSv1_2)
    client.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError, match=r"(?i)no.shared.cipher|handshake"):
        handshake(server_context(tls_settings(server)), client)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_protocols_are_refused(authority, server, version):
    client = client_context(authority, minimum_version=version, maximum_version=version)
    client.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError, match=r"(?i)unsupported.protocol|version"):
        handshake(server_context(tls_settings(server)), client)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_with_an_authority_for_clients_only_its_certificates_get_through(
    tmp_path, authority, server, version
):
    (tmp_path / "clients").mkdir()
    issuer, stranger = (new_authority(tmp_path / "clients", name) for name in ("issuer", "stranger"))
    context = server_context(tls_settings(server, tls_client_ca_file=issuer.file))
    only = {"minimum_version": version, "maximum_version": version}
    client = client_context(authority, **only)
    known = issuer.issue("known")
    client.load_cert_chain(known.cert_file, known.key_file)
    handshake(context, client)
    wrong = [
        stranger.issue("stranger-client"),
        authority.issue("of-the-servers-authority"),
        issuer.issue("expired", days=(-2, -1)),
        issuer.issue("server-only", uses=(ExtendedKeyUsageOID.SERVER_AUTH,)),
    ]
    for refused in (None, *wrong):
        client = client_context(authority, **only)
        if refused:
            client.load_cert_chain(refused.cert_file, refused.key_file)
        with pytest.raises(ssl.SSLError):
            handshake(context, client)


@pytest.mark.parametrize("mutual", [False, True])
def test_the_health_check_trusts_and_presents_the_services_own_certificate(
    tmp_path, authority, server, mutual
):
    (tmp_path / "clients").mkdir()
    issuer = new_authority(tmp_path / "clients", "issuer")
    environ = {"SERVICE_TLS_CERT_FILE": str(server.cert_file), "SERVICE_TLS_KEY_FILE": str(server.key_file)}
    files = {"tls_client_ca_file": issuer.file} if mutual else {}
    environ |= {"SERVICE_TLS_CLIENT_CA_FILE": str(issuer.file)} if mutual else {}
    handshake(server_context(tls_settings(server, **files)), pinned_context(environ))
    sibling = authority.issue("sibling")  # of the same authority, and nevertheless not the service
    with pytest.raises(ssl.SSLError):
        handshake(server_context(tls_settings(sibling)), pinned_context(environ))
    assert pinned_context({}) is None


def test_text_around_certificates_is_harmless(authority, server):
    issuer = authority.file.read_text(encoding="ascii")
    own = server.cert_file.read_text(encoding="ascii")
    server.cert_file.write_text(f"Subjekt: Prüfstelle\n{own}Aussteller\n{issuer}", encoding="utf-8")
    pinned = pinned_context({"SERVICE_TLS_CERT_FILE": str(server.cert_file)})
    handshake(server_context(tls_settings(server)), pinned)
    assert pinned.cert_store_stats()["x509"] == 1


@pytest.mark.parametrize("content", ["", "nothing"])
def test_the_health_check_without_a_certificate_to_trust_finds_nothing_healthy(tmp_path, content):
    (tmp_path / "server.pem").write_text(content, encoding="ascii")
    assert not healthy(1, {"SERVICE_TLS_CERT_FILE": str(tmp_path / "server.pem")})
    assert not healthy(1, {"SERVICE_TLS_CERT_FILE": str(tmp_path / "absent.pem")})


def test_a_certificate_that_the_health_check_cant_present_is_told(authority, caplog):
    server = authority.issue("server", uses=(ExtendedKeyUsageOID.SERVER_AUTH,))
    with caplog.at_level(logging.WARNING, "reference_service"):
        server_context(tls_settings(server))
        assert not caplog.records
        server_context(tls_settings(server, tls_client_ca_file=authority.file))
    assert "health check" in caplog.text


def test_a_renewed_certificate_is_served_without_a_restart_and_a_broken_one_is_not(
    authority, server, monkeypatch
):
    now_s = iter(range(1000))
    monkeypatch.setattr(Reloaded.__init__, "__kwdefaults__", {"clock": lambda: next(now_s)})
    told = []
    context = server_context(tls_settings(server), told.append)

    def serial():
        seen = handshake(context, client_context(authority)).getpeercert()
        return int(seen["serialNumber"], 16)

    assert serial() == server.certificate.serial_number
    renewed = authority.issue("server")
    assert serial() == renewed.certificate.serial_number != server.certificate.serial_number
    assert told == [0, 0]
    server.key_file.write_text("broken", encoding="ascii")
    assert serial() == renewed.certificate.serial_number
    assert told == [0, 0, 1]


def expired(authority, _server):
    return authority.issue("server", days=(-3, -1))


def not_yet_valid(authority, _server):
    return authority.issue("server", days=(1, 3))


def short(authority, _server):
    return authority.issue("server", key=rsa.generate_private_key(public_exponent=65537, key_size=1024))


def of_another_certificate(authority, server):
    authority.issue("other").key_file.rename(server.key_file)
    return server


def of_another_kind(_authority, server):
    key = ed25519.Ed25519PrivateKey.generate()
    server.key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return server


def encrypted(_authority, server):
    content = server.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    server.key_file.write_bytes(content)
    return server


def open_to_all(_authority, server):
    server.key_file.chmod(0o644)
    return server


def writable_by_the_group(_authority, server):
    server.key_file.chmod(0o660)
    return server


def no_key(_authority, server):
    server.key_file.write_text("nothing", encoding="ascii")
    return server


def no_certificate(_authority, server):
    server.cert_file.write_text("nothing", encoding="ascii")
    return server


def key_gone(_authority, server):
    server.key_file.unlink()
    return server


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (expired, r"server\.pem: is valid from .* to "),
        (not_yet_valid, r"server\.pem: is valid from .* to "),
        (short, r"server\.pem: its key must be"),
        (of_another_certificate, r"server\.key: is not the private key of .*server\.pem"),
        (of_another_kind, r"server\.key: is not the private key of .*server\.pem"),
        (encrypted, r"server\.key: must hold one private key"),
        (open_to_all, r"server\.key: has mode 0644; .*chmod 0400"),
        (writable_by_the_group, r"server\.key: has mode 0660"),
        (no_key, r"server\.key: must hold one private key"),
        (no_certificate, r"server\.pem: must hold certificates"),
        (key_gone, r"server\.key: No such file"),
    ],
)
def test_what_is_wrong_with_certificate_or_key_is_told(authority, server, make, message):
    with pytest.raises(KeyFileError, match=message):
        server_context(tls_settings(make(authority, server)))


def test_an_authority_for_clients_has_to_be_valid(tmp_path, server):
    expired = new_authority(tmp_path, "expired", days=(-3, -1))
    with pytest.raises(KeyFileError, match=r"expired\.pem: none of its certificates is valid now"):
        server_context(tls_settings(server, tls_client_ca_file=expired.file))
    with pytest.raises(KeyFileError, match=r"server\.key: must hold certificates"):
        server_context(tls_settings(server, tls_client_ca_file=server.key_file))


def test_certificate_and_key_need_each_other(server):
    for files in (
        {"tls_cert_file": server.cert_file},
        {"tls_key_file": server.key_file},
        {"tls_client_ca_file": server.cert_file},
    ):
        with pytest.raises(ValidationError, match="SERVICE_TLS_CERT_FILE"):
            Settings(**files)


def test_the_declared_fingerprint_is_of_the_public_key_and_outlives_a_renewal(tmp_path, authority, server):
    declaration = tmp_path / "fingerprints.json"
    settings = tls_settings(server, secret_fingerprints_file=declaration)
    der = server.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    fingerprint = hashlib.sha256(der).hexdigest()
    declaration.write_text(json.dumps({"tls_cert_file": [fingerprint]}), encoding="ascii")
    server_context(settings)
    authority.issue("server", key=server.key)
    server_context(settings)
    authority.issue("server")
    with pytest.raises(
        KeyFileError, match=rf"server\.pem: its fingerprint .* is not declared.*{fingerprint}"
    ):
        server_context(settings)


def test_an_undeclared_authority_for_clients_lets_nobody_in_until_it_is_declared(
    tmp_path, authority, server, monkeypatch
):
    now_s = iter(range(1000))
    monkeypatch.setattr(Reloaded.__init__, "__kwdefaults__", {"clock": lambda: next(now_s)})
    (tmp_path / "clients").mkdir()
    issuer, stranger = (new_authority(tmp_path / "clients", name) for name in ("issuer", "stranger"))
    mounted, declaration = tmp_path / "clients.pem", tmp_path / "fingerprints.json"
    spki = server.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def declare(*files):
        digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
        own = [hashlib.sha256(spki).hexdigest()]
        declaration.write_text(
            json.dumps({"tls_cert_file": own, "tls_client_ca_file": digests}), encoding="ascii"
        )

    def gets_in(issued):
        client = client_context(authority)
        client.load_cert_chain(issued.cert_file, issued.key_file)
        try:
            handshake(context, client)
        except ssl.SSLError:
            return False
        return True

    clients = issuer.issue("known"), stranger.issue("planted")
    mounted.write_bytes(issuer.file.read_bytes())
    declare(issuer.file)
    settings = tls_settings(server, tls_client_ca_file=mounted, secret_fingerprints_file=declaration)
    context = server_context(settings)
    mounted.write_bytes(stranger.file.read_bytes())
    assert [gets_in(each) for each in clients] == [True, False]
    with pytest.raises(KeyFileError, match=r"clients\.pem: its fingerprint .* is not declared"):
        server_context(settings)
    declare(issuer.file, stranger.file)
    assert [gets_in(each) for each in clients] == [False, True]
