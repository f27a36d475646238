"""The certificates of a run, by what two ends of a connection make of them."""

import ssl

import pytest

from harness import tls
from harness.errors import InfrastructureError
from harness.tls import Certificates


@pytest.fixture(scope="module")
def certificates():
    return Certificates(lambda _secret: None)


def server_of(certificates, folder, *, minimum=ssl.TLSVersion.TLSv1_2, clients=False):
    """A server as a service would be set up by the templates."""
    values = certificates.template_values()
    pair = folder / "pair.pem"
    pair.write_text(values["tls.server.certificate"] + values["tls.server.key"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = minimum
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=values["tls.client_ca.certificate"])
    return context


def shake_hands(client, server, name="127.0.0.1"):
    """The version that both ends agree on."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=name)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    ends = [ours, theirs]
    while ends:
        ends = [end for end in ends if not tls._shaken(end)]
    return theirs.version()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_client_trusts_the_server(certificates, tmp_path, name):
    server = server_of(certificates, tmp_path, clients=True)
    assert shake_hands(certificates.context(), server, name) == "TLSv1.3"


def test_another_name_is_not_trusted(certificates, tmp_path):
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(certificates.context(), server_of(certificates, tmp_path), "elsewhere.example")


def test_another_run_is_not_trusted(certificates, tmp_path):
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(Certificates(lambda _: None).context(), server_of(certificates, tmp_path))


@pytest.mark.parametrize(
    ("client", "said"),
    [
        ("none", "PEER_DID_NOT_RETURN_A_CERTIFICATE"),
        ("other", "CERTIFICATE_VERIFY_FAILED"),
        ("expired", "CERTIFICATE_VERIFY_FAILED"),
    ],
)
def test_a_sound_server_refuses_other_certificates(certificates, tmp_path, client, said):
    server = server_of(certificates, tmp_path, clients=True)
    with pytest.raises(ssl.SSLError, match=said):
        shake_hands(certificates.context(client=client, version="1.2"), server)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_an_old_version_is_offered_and_a_sound_server_refuses_it(certificates, tmp_path, version):
    client = certificates.context(version=version)
    lax = server_of(certificates, tmp_path, minimum=ssl.TLSVersion.TLSv1)
    assert shake_hands(client, lax) == f"TLSv{version}".removesuffix(".0")
    with pytest.raises(ssl.SSLError, match="UNSUPPORTED_PROTOCOL"):
        shake_hands(client, server_of(certificates, tmp_path))


def test_a_version_that_this_machine_cannot_offer_is_said(certificates, monkeypatch):
    def refuse(_end):
        raise ssl.SSLError(1, "no protocols available")

    monkeypatch.setattr(tls, "_shaken", refuse)
    with pytest.raises(InfrastructureError, match=r"does not speak TLS 1\.1"):
        certificates.context(version="1.1")


def test_private_keys_are_kept_secret():
    kept = []
    certificates = Certificates(kept.append)
    assert certificates.template_values()["tls.server.key"].strip() in kept
