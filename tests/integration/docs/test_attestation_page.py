"""docs/attestation.md, from a key pair to the question of a deploy job; docs/github-actions.md."""

import json

import pytest
from walking import Instead

pytestmark = [pytest.mark.engine, pytest.mark.slow]
RUN = {
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "team/service",
    "GITHUB_RUN_ID": "7",
    "GITHUB_RUN_ATTEMPT": "2",
}


def test_a_verdict_is_signed_and_verified(first_suite, pushed):
    first_suite.walk("docs/attestation.md", "umask", "openssl genpkey", "openssl pkey")
    first_suite.walk("docs/attestation.md", "harness run", instead=[pushed])
    (report,) = (first_suite.folder / "reports").glob("*.json")
    run = Instead("RUN", report.stem, "the page names no run")
    annotated = first_suite.walk("docs/github-actions.md", "harness report", instead=[run]).out
    assert annotated.startswith("::notice title=promote::")
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
    assert statement["predicate"]["url"] == "https://github.example/team/service/actions/runs/7/attempts/2"

    # What `gh` would have written of it, and of one that was decided by another policy.
    verified = first_suite.folder / "verified.json"
    verified.write_text(json.dumps([{"verificationResult": {"statement": statement}}]))
    first_suite.walk("docs/attestation.md", "jq -e")
    (first_suite.folder / "gate.toml").write_text("another")
    first_suite.walk("docs/attestation.md", "jq -e", codes=(1,))
