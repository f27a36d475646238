"""The commands of the service's README make the fingerprints that the service computes."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from certificates import new_authority
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from signers import signer_of, write_jwks

import reference_service
from reference_service.access.jwks import thumbprint
from reference_service.server.tls import spki_fingerprint

README = Path(reference_service.__file__).with_name("README.md").read_text(encoding="utf-8")
COMMANDS = re.search(r"### Fingerprints.*?```sh\n(.*?)```", README, re.DOTALL)[1].splitlines()


def made_by(command, folder):
    missing = [
        tool
        for tool in ("sha256sum", "openssl", "jq", "basenc")
        if tool in command and not shutil.which(tool)
    ]
    if missing:
        pytest.skip(f"this machine has no {missing[0]}")
    finished = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=True)
    return finished.stdout.split()[0]


def test_of_a_file(tmp_path):
    (tmp_path / "keys.json").write_bytes(b"{}")
    assert made_by(COMMANDS[0], tmp_path) == hashlib.sha256(b"{}").hexdigest()


@pytest.mark.parametrize("kind", ["RSA", "EC"])
def test_of_a_key_set(tmp_path, kind):
    key = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if kind == "RSA"
        else ec.generate_private_key(ec.SECP256R1())
    )
    jwk = signer_of(key, "k1").jwk
    write_jwks(tmp_path / "jwks.json", jwk)
    assert made_by(COMMANDS[1], tmp_path) == thumbprint(jwk)


def test_of_a_certificate(tmp_path):
    issued = new_authority(tmp_path, "authority").issue("server")
    assert made_by(COMMANDS[2], tmp_path) == spki_fingerprint(issued.certificate)
