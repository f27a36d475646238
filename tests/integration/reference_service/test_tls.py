"""A container with mounted certificates: TLS and nothing else, with and without certificates of clients."""

import json
import os
import socket
import ssl
import sys
import time
from contextlib import contextmanager, suppress

import httpx
import pytest
from certificates import new_authority
from local_processes import free_port
from raw_http import post_head

from reference_service.server.tls import HANDSHAKE_TIMEOUT_S

pytestmark = pytest.mark.engine

SECRETS = "/run/tls"
USER = 10001
READY_TIMEOUT_S = 60
HEALTHCHECK = ["python3", "-m", "reference_service.healthcheck"]
OVER_TLS = {
    "SERVICE_TLS_CERT_FILE": f"{SECRETS}/server.pem",
    "SERVICE_TLS_KEY_FILE": f"{SECRETS}/server.key",
}
CLIENTS_TOO = {"SERVICE_TLS_CLIENT_CA_FILE": f"{SECRETS}/authority.pem"}
"""The same authority issued the service's certificate: whoever it issued one may be a client."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    folder.chmod(0o755)
    return new_authority(folder, "authority")


@pytest.fixture(scope="module")
def user(authority):
    """The user of the container, who alone may read the key: the image's, or the one running the tests."""
    key_file = authority.issue("server").key_file
    if os.getuid() == 0:
        os.chown(key_file, USER, USER)
    return str(os.getuid() or USER)


def trusting(authority, client=None):
    context = ssl.create_default_context(cafile=authority.file)
    if client:
        context.load_cert_chain(client.cert_file, client.key_file)
    return context


@pytest.fixture(scope="module")
def start(created, authority, user):
    """Starts a container with the certificates; gives it and its port once it is healthy by its own check."""

    @contextmanager
    def begin(**environment):
        files = {SECRETS: authority.folder}
        with created(environment=OVER_TLS | environment, files=files, user=user) as container:
            container.start()
            deadline = time.monotonic() + READY_TIMEOUT_S
            while container.exec_run(HEALTHCHECK).exit_code != 0:
                assert time.monotonic() < deadline, container.logs().decode()
            container.reload()
            yield container, int(container.ports["8000/tcp"][0]["HostPort"])

    return begin


@pytest.fixture(scope="module")
def port(start):
    with start() as (_, port):
        yield port


@pytest.fixture(scope="module")
def mutual(start):
    with start(**CLIENTS_TOO) as (_, port):
        yield port


def test_a_prediction_over_tls(port, authority, key):
    headers = {"X-API-Key": key}
    with httpx.Client(verify=trusting(authority), headers=headers) as client:
        sample = client.get(f"https://localhost:{port}/metadata").json()["sample"]["input"]
        answer = client.post(f"https://localhost:{port}/predict", json={"features": sample})
    assert answer.status_code == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_protocols_are_refused(port, authority, version):
    context = trusting(authority)
    context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError), connected(port, context):
        pass


@pytest.mark.parametrize("ciphers", ["ECDHE-ECDSA-AES128-SHA256", "AES128-GCM-SHA256"])
def test_weak_ciphers_are_refused(port, authority, ciphers):
    context = trusting(authority)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError), connected(port, context):
        pass


def connected(port, context):
    raw = socket.create_connection(("127.0.0.1", port), timeout=5)
    return context.wrap_socket(raw, server_hostname="localhost")


@pytest.mark.parametrize("path", ["/health", "/predict"])
def test_plain_text_is_closed_and_nothing_is_served(port, key, path):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n".encode())
        try:
            answer = connection.recv(65536)
        except ConnectionResetError:
            answer = b""
    assert b"HTTP" not in answer
    assert len(answer) < 20  # at most the alert of the protocol


SHORT_HANDSHAKE = """
import sys
from reference_service.__main__ import main
from reference_service.server import tls
tls.HANDSHAKE_TIMEOUT_S = 0.5
sys.exit(main())
"""


def test_who_never_shakes_hands_is_cut_off(process, authority):
    issued = authority.issue("local")
    port = free_port()
    command = [sys.executable, "-c", SHORT_HANDSHAKE]
    files = {"tls_cert_file": issued.cert_file, "tls_key_file": issued.key_file}
    with process(command=command, port=port, **files) as started:
        assert any(
            (line["message"], line.get("scheme")) == ("listening", "https")
            for line in map(json.loads, started.stdout)
        )
        with connected(port, trusting(authority)) as shaken:
            connection = socket.create_connection(("127.0.0.1", port), timeout=HANDSHAKE_TIMEOUT_S)
            with connection, suppress(ConnectionResetError):
                assert (
                    connection.recv(65536) == b""
                )  # and no timeout: it is cut off long before the usual time
            shaken.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert shaken.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_clients_without_a_certificate_are_refused(mutual, authority, key):
    url = f"https://localhost:{mutual}/metadata"
    headers = {"X-API-Key": key}
    known = trusting(authority, authority.issue("known"))
    assert httpx.get(url, headers=headers, verify=known).status_code == 200
    assert httpx.get(url, verify=known).status_code == 401  # a certificate opens the connection, no more
    for context in (trusting(authority), trusting(authority, authority.issue("late", days=(-2, -1)))):
        with pytest.raises(httpx.TransportError):
            httpx.get(url, headers=headers, verify=context)


def test_a_renewed_certificate_is_served_without_a_restart(start, authority, user):
    with start() as (container, port):
        former = seen(port, authority)
        renewed = authority.issue("server", days=(-1, 2))
        if os.getuid() == 0:
            os.chown(renewed.key_file, int(user), int(user))
        time.sleep(1.1)
        assert seen(port, authority) == renewed.certificate.serial_number != former
        assert container.exec_run(HEALTHCHECK).exit_code == 0


def seen(port, authority):
    with connected(port, trusting(authority)) as connection:
        return int(connection.getpeercert()["serialNumber"], 16)


def test_a_request_in_flight_over_tls_is_answered_after_a_signal(start, authority, key):
    body = b'{"features": {}}'
    with start() as (container, port):
        with connected(port, trusting(authority)) as connection:
            connection.sendall(post_head("/predict", len(body), key=key, more=["Expect: 100-continue"]))
            assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"  # it reads the body
            container.kill(signal="SIGTERM")
            time.sleep(0.5)
            connection.sendall(body)
            assert connection.recv(65536).startswith(
                b"HTTP/1.1 400 "
            )  # features are missing: answered, anyway
        assert container.wait(timeout=READY_TIMEOUT_S)["StatusCode"] == 0


def test_a_key_that_is_open_to_others_is_refused(created, authority, user):
    authority.issue("open").key_file.chmod(0o644)
    files = {
        f"SERVICE_TLS_{kind}_FILE": f"{SECRETS}/open.{end}" for kind, end in (("CERT", "pem"), ("KEY", "key"))
    }
    with created(environment=files, files={SECRETS: authority.folder}, user=user) as container:
        container.start()
        assert container.wait(timeout=READY_TIMEOUT_S)["StatusCode"] == 3
        message = json.loads(container.logs().decode().splitlines()[-1])["message"]
    assert message.startswith(f"refusing to start: {SECRETS}/open.key: has mode 0644")
