"""From a push to a verified deploy: an image that a registry has, gated whole, attested and verified."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from registry import registry

from harness.errors import ExitCode

pytestmark = pytest.mark.engine


@pytest.fixture
def pushed(engine, tiny_image):
    """The tiny image in a registry, by its digest there."""
    with registry() as address:
        repository = f"{address}/team/tiny"
        engine.images.get(tiny_image).tag(repository, "1")
        try:
            lines = engine.api.push(repository, tag="1", stream=True, decode=True)
            (digest,) = [line["aux"]["Digest"] for line in lines if "aux" in line]
            yield f"{repository}@{digest}"
        finally:
            engine.images.remove(f"{repository}:1")


@pytest.fixture
def keys(tmp_path):
    """Private and public, in files."""
    private = ed25519.Ed25519PrivateKey.generate()
    paths = tmp_path / "private.pem", tmp_path / "public.pem"
    paths[0].touch(0o600)
    paths[0].write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    paths[1].write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return paths


@pytest.fixture
def verify(run_main, keys, tmp_path):
    """Verifies what lies in ``attestation.json``."""

    def run(image, *options):
        path = tmp_path / "attestation.json"
        return run_main("verify-attestation", path, "--image", image, "--key", keys[1], *options)

    return run


@pytest.fixture
def attest(run_main, keys, tmp_path):
    """Writes ``attestation.json``."""

    def run(report):
        result = run_main("report", report, "--format", "attestation", "--key", keys[0])
        assert result.returncode == 0, result.stderr
        (tmp_path / "attestation.json").write_text(result.stdout)

    return run


def test_a_pushed_image_is_gated_attested_and_verified(run_gate, pushed, tiny_suite, attest, verify):
    config = tiny_suite()
    report, path = run_gate(config, pushed)
    assert report.candidate.repo_digest == pushed
    attest(path)
    result = verify(pushed, "--policy", config, "--max-age", "1h", "--device", "cpu", "--json")
    assert result.returncode == 0, result.stderr
    predicate = json.loads(result.stdout)["predicate"]
    assert predicate["result"] == "PASSED"
    assert predicate["passedTests"] == [check.id for check in report.checks]
    assert [each["name"] for each in predicate["configuration"]] == [
        "gate.toml",
        "golden/cases.jsonl",
        "golden/golden.toml",
    ]
    (config.parent / "golden" / "cases.jsonl").write_text("")
    assert verify(pushed, "--policy", config).returncode == ExitCode.REJECT
    other = pushed.partition("@")[0] + "@sha256:" + "0" * 64
    assert verify(other).returncode == ExitCode.REJECT
