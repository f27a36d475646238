"""From a stored report to a verified deploy, over the command line, with keys that openssl made."""

import json
import re
import shutil
import subprocess
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attested_reports import IMAGE, SUITE, a_check, a_report

from harness.attestation.keys import key_id, load_public_key
from harness.errors import ExitCode
from harness.model import Decision, Outcome

ROOT = Path(__file__).resolve().parents[3]
ALGORITHMS = {"ed25519": ["ed25519"], "p256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]}

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the keys")


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Makes a key pair, as the documentation does."""

    def make(algorithm="ed25519"):
        folder = tmp_path_factory.mktemp("keys")
        private, public = folder / "private.pem", folder / "public.pem"
        for command in (
            ["genpkey", "-algorithm", *ALGORITHMS[algorithm], "-out", private],
            ["pkey", "-in", private, "-pubout", "-out", public],
        ):
            subprocess.run(["openssl", *command], check=True, capture_output=True)
        return private, public

    return make


@pytest.fixture(scope="module")
def keys(pair):
    return pair()


@pytest.fixture
def stored(tmp_path):
    """Writes a report, that of a run which finished an hour ago where nothing else is said."""

    def write(report=None):
        finished = datetime.now(UTC) - timedelta(hours=1)
        report = report or a_report(finished_at=finished.isoformat(timespec="milliseconds"))
        path = tmp_path / "run.json"
        path.write_text(report.model_dump_json())
        return path

    return write


@pytest.fixture
def attestation(run_main, stored, keys, tmp_path):
    """A signed attestation in a file."""

    def make(report=None, key=keys[0]):
        result = run_main("report", stored(report), "--format", "attestation", "--key", key)
        assert result.returncode == 0, result.stderr
        path = tmp_path / "attestation.json"
        path.write_text(result.stdout)
        return path

    return make


@pytest.fixture
def verified(run_main, keys):
    """Verifies; gives exit code, what ``--json`` prints, and what people read."""

    def run(path, *options, image=IMAGE, key=keys[1]):
        result = run_main("verify-attestation", path, "--image", image, "--key", key, "--json", *options)
        return result.returncode, json.loads(result.stdout or "null"), result.stderr

    return run


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "gate.toml"
    path.write_text(SUITE.text)
    return path


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_promote_is_attested_signed_and_verified(attestation, verified, pair, policy, algorithm):
    private, public = pair(algorithm)
    path = attestation(key=private)
    code, found, said = verified(path, "--policy", policy, "--max-age", "7d", "--device", "cpu", key=public)
    assert code == 0
    assert (found["verified"], found["refusals"]) == (True, [])
    assert found["predicate"]["result"] == "PASSED"
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-in", public, "-outform", "DER"], check=True, capture_output=True
    ).stdout
    sha256 = subprocess.run(["sha256sum"], input=der, check=True, capture_output=True).stdout.split()[0]
    assert found["key_id"] == sha256.decode()
    assert said.startswith(f"verified  {path}")
    assert found["key_id"] in said
    assert [each.partition(":")[0] for each in found["not_checked"]] == ["suite"]
    assert f"  not checked  {found['not_checked'][0]}\n" in said


def test_what_is_signed_is_what_is_printed_without_a_key(run_main, stored, keys):
    path = stored()
    bare = run_main("report", path, "--format", "attestation").stdout
    envelope = json.loads(run_main("report", path, "--format", "attestation", "--key", keys[0]).stdout)
    assert b64decode(envelope["payload"]).decode() == bare
    assert json.loads(bare)["subject"][0]["name"] == IMAGE.partition("@")[0]


def test_the_signature_is_one_that_openssl_accepts(attestation, pair, tmp_path):
    private, public = pair("p256")
    envelope = json.loads(attestation(key=private).read_text())
    payload = b64decode(envelope["payload"])
    signed, signature = tmp_path / "signed", tmp_path / "signature"
    kind = envelope["payloadType"].encode()
    signed.write_bytes(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
    signature.write_bytes(b64decode(envelope["signatures"][0]["sig"]))
    command = ["openssl", "dgst", "-sha256", "-verify", public, "-signature", signature, signed]
    assert subprocess.run(command, check=True, capture_output=True).stdout == b"Verified OK\n"


@pytest.mark.parametrize(
    ("demand", "options"),
    [
        ("subject", {"image": "registry.example/team/service@sha256:" + "00" * 32}),
        ("age", {"options": ["--max-age", "59m"]}),
        ("device", {"options": ["--device", "gpu"]}),
    ],
)
def test_what_is_not_asked_for_is_refused(attestation, verified, demand, options):
    code, found, said = verified(
        attestation(), *options.get("options", ()), **{key: options[key] for key in options if key == "image"}
    )
    assert code == ExitCode.REJECT
    assert not found["verified"]
    assert [refusal["demand"] for refusal in found["refusals"]] == [demand]
    assert f"  {demand}: {found['refusals'][0]['message']}" in said


def test_a_deploy_that_asks_for_little_is_told_what_it_did_not_ask(attestation, verified):
    code, found, said = verified(attestation())
    assert (code, len(found["not_checked"])) == (0, 3)
    assert all(f"  not checked  {each}\n" in said for each in found["not_checked"])
    assert "--policy" in said
    assert "--max-age" in said


def test_another_policy_is_refused(attestation, verified, policy):
    policy.write_text(SUITE.text + "# looser\n")
    code, found, _ = verified(attestation(), "--policy", policy)
    assert code == ExitCode.REJECT
    assert [refusal["demand"] for refusal in found["refusals"]] == ["policy"]


def test_another_signer_is_refused_until_its_key_is_given_too(attestation, verified, pair, keys):
    private, public = pair()
    path = attestation(key=private)
    code, found, _ = verified(path)
    assert code == ExitCode.REJECT
    (refusal,) = found["refusals"]
    assert refusal["demand"] == "signature"
    signed, given = (key_id(load_public_key(each)) for each in (public, keys[1]))
    assert refusal["message"].endswith(f"signed by '{signed}', given {given}")
    assert (found["key_id"], found["predicate"]) == (None, None)
    assert verified(path, "--key", public)[0] == 0


def test_a_bare_statement_is_refused(run_main, stored, verified, tmp_path):
    path = tmp_path / "statement.json"
    path.write_text(run_main("report", stored(), "--format", "attestation").stdout)
    code, found, said = verified(path)
    assert code == ExitCode.REJECT
    assert [refusal["demand"] for refusal in found["refusals"]] == ["signature"]
    assert "nobody has signed" in said


def test_a_reject_is_attested_as_failed_and_refused(attestation, verified):
    path = attestation(a_report(a_check(outcome=Outcome.FAIL), decision=Decision.REJECT))
    code, found, said = verified(path)
    assert code == ExitCode.REJECT
    assert found["predicate"]["result"] == "FAILED"
    assert "result: FAILED: golden.single" in said


def test_what_a_statement_says_does_nothing_to_a_terminal(attestation, verified):
    hostile = "\x1b]0;x\x07[bold red]\u202e\n"
    _, found, said = verified(attestation(a_report(run_id=hostile)), "--max-age", "1m")
    assert found["predicate"]["configuration"][0]["annotations"]["harnessRun"]["id"] == hostile
    assert r"\x1b]0;x\x07[bold red]\u202e\n on cpu" in said
    assert said.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    "report",
    [
        a_report(partial=True),
        a_report(a_check(outcome=Outcome.INCONCLUSIVE), decision=Decision.INCONCLUSIVE),
    ],
    ids=["partial", "inconclusive"],
)
def test_what_cannot_be_attested_ends_with_2_and_prints_nothing(run_main, stored, keys, report):
    path = stored(report)
    for options in ([], ["--key", keys[0]]):
        result = run_main("report", path, "--format", "attestation", *options)
        assert result.returncode == ExitCode.USAGE
        assert result.stdout == ""
        assert f"{path}: cannot be attested: it is " in result.stderr
        assert "fix: " in result.stderr


def test_a_private_key_that_all_can_read_signs_nothing(run_main, stored, pair):
    private, _ = pair()
    private.chmod(0o644)
    result = run_main("report", stored(), "--format", "attestation", "--key", private)
    assert (result.returncode, result.stdout) == (ExitCode.USAGE, "")
    assert f"chmod 600 {private}" in result.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--image", "service:1"], "--image service:1: not an image by its digest"),
        (["--image", IMAGE, "--max-age", "week"], "--max-age week: not an age"),
        (["--image", IMAGE, "--max-age", "0d"], "--max-age 0d: not an age"),
        (["--image", IMAGE, "--policy", "/nowhere/gate.toml"], "/nowhere/gate.toml: cannot be read"),
    ],
)
def test_a_command_line_that_cannot_be(run_main, attestation, keys, options, says):
    result = run_main("verify-attestation", attestation(), "--key", keys[1], *options, "--json")
    assert (result.returncode, result.stdout) == (ExitCode.USAGE, "")
    assert says in result.stderr


def test_no_key_is_no_command_line(run_main, attestation):
    result = run_main("verify-attestation", attestation(), "--image", IMAGE)
    assert result.returncode == ExitCode.USAGE
    assert "--key" in result.stderr


def test_what_is_no_envelope_ends_with_2(run_main, keys, tmp_path):
    path = tmp_path / "attestation.json"
    path.write_text("{")
    result = run_main("verify-attestation", path, "--image", IMAGE, "--key", keys[1], "--json")
    assert (result.returncode, result.stdout) == (ExitCode.USAGE, "")
    assert f"{path}: not JSON" in result.stderr


@pytest.mark.parametrize("option", ["--key", "--url"])
def test_only_an_attestation_takes_a_key_and_a_url(run_main, stored, option):
    result = run_main("report", stored(), "--format", "json", option, "x")
    assert (result.returncode, result.stdout) == (ExitCode.USAGE, "")
    assert "only an attestation takes --key and --url" in result.stderr


@pytest.fixture
def statement(run_main, stored):
    """An unsigned statement."""
    return json.loads(run_main("report", stored(), "--format", "attestation").stdout)


@pytest.fixture
def gh_policy():
    """The jq of the documentation that holds what ``gh`` has verified against a policy."""
    page = (ROOT / "docs" / "attestation.md").read_text()
    (command,) = re.findall(r"^jq -e .*?verified\.json$", page, re.MULTILINE | re.DOTALL)
    return command


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is what is tried")
@pytest.mark.parametrize(
    ("change", "accepted"),
    [
        (lambda _predicate: None, True),
        (lambda predicate: predicate.update(result="WARNED"), False),
        (lambda predicate: predicate["configuration"][0]["digest"].update(sha256="00"), False),
        (
            lambda predicate: predicate["configuration"][0]["annotations"]["harnessRun"].update(
                finishedAt="2026-01-01T00:00:00.000Z"
            ),
            False,
        ),
    ],
    ids=["as made", "warned", "another policy", "stale"],
)
def test_the_documented_jq_holds_a_predicate_against_the_policy(
    statement, policy, gh_policy, change, accepted
):
    change(statement["predicate"])
    verified = [{"attestation": {}, "verificationResult": {"statement": statement}}]
    (policy.parent / "verified.json").write_text(json.dumps(verified))
    result = subprocess.run(["bash", "-c", gh_policy], cwd=policy.parent, check=False, capture_output=True)
    assert (result.returncode == 0) == accepted, result.stderr
