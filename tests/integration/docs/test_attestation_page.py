"""docs/attestation.md: from a key pair to what the deploy job asks, of an image that a registry has."""

import json

import pytest
from registry import registry
from walking import Instead

pytestmark = [pytest.mark.engine, pytest.mark.slow]
RUN = {
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "team/service",
    "GITHUB_RUN_ID": "7",
}


@pytest.fixture
def pushed(engine, plain_image, tag):
    """What stands for the page's image: the same service by its digest in a registry of this machine."""
    tag(plain_image, "registry.example/service:1.3.2")
    with registry() as address:
        name = f"{address}/service"
        tag(plain_image, f"{name}:1.4.0")
        lines = engine.api.push(name, tag="1.4.0", stream=True, decode=True)
        (digest,) = [line["aux"]["Digest"] for line in lines if "aux" in line]
        yield Instead(
            "registry.example/service@sha256:DIGEST", f"{name}@{digest}", "the digest is known by then"
        )


def test_a_verdict_is_signed_and_verified(first_suite, pushed):
    first_suite.walk("docs/attestation.md", "umask", "openssl genpkey", "openssl pkey")
    first_suite.walk("docs/attestation.md", "harness run", instead=[pushed])
    first_suite.walk("docs/attestation.md", "harness report reports/latest --format attestation --key")
    said = first_suite.walk("docs/attestation.md", "harness verify-attestation", instead=[pushed]).said
    assert "verified" in said

    output = first_suite.folder / "output"
    first_suite.environ.update(RUN, GITHUB_OUTPUT=str(output))
    first_suite.walk(
        "docs/attestation.md",
        "harness report reports/latest --format attestation \\",
        "jq .predicate",
        "jq -r",
    )
    name, _, digest = pushed.other.partition("@")
    assert output.read_text() == f"subject-name={name}\nsubject-digest={digest}\n"
    statement = json.loads((first_suite.folder / "statement.json").read_text())
    assert statement["predicate"]["url"] == "https://github.example/team/service/actions/runs/7"

    # What `gh` would have written of it, and of one that was decided by another policy.
    verified = first_suite.folder / "verified.json"
    verified.write_text(json.dumps([{"verificationResult": {"statement": statement}}]))
    first_suite.walk("docs/attestation.md", "jq -e")
    (first_suite.folder / "gate.toml").write_text("another")
    first_suite.walk("docs/attestation.md", "jq -e", codes=(1,))
