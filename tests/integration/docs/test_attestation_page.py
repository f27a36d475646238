"""docs/attestation.md: from a key pair to what the deploy job asks, of an image that a registry has."""

import json

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.slow]
RUN = {
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "team/service",
    "GITHUB_RUN_ID": "7",
}


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
