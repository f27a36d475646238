"""What a run leaves behind: decided again without an engine, rendered, valid, and free of secrets."""

import json
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from harness.config.suite import load_suite
from harness.errors import ExitCode

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[3]
NO_ENGINE = {"DOCKER_HOST": "unix:///nowhere/at/all.sock"}
TOKEN = re.compile(rb"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@pytest.fixture(scope="session")
def secrets_of_the_run():
    """Secrets that are known here, so that they can be looked for."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    keys = load_suite(ROOT / "gate.toml").config.auth.keys
    given = {f"GATE_KEY_{name.upper()}": f"sesame-{name}-0123456789abcdef" for name in keys}
    return {**given, "GATE_SIGNER_ISSUER_PEM": private.decode()}


@pytest.fixture(scope="session")
def stored(reference_image, secrets_of_the_run, tmp_path_factory, run_harness):
    """The JSON of a run of the families that are quick and full of credentials; its stdout."""
    out = tmp_path_factory.mktemp("stored") / "reports"
    result = run_harness(
        *("run", "--candidate", reference_image, "--reference", "none", "--out", out, "--json"),
        *("--only", "golden", "--only", "scenarios"),
        cwd=ROOT,
        **secrets_of_the_run,
    )
    assert result.returncode == ExitCode.PROMOTE, result.stderr
    (path,) = out.glob("*.json")
    return path, result


@pytest.fixture
def copy(stored, tmp_path):
    """A copy that may be damaged."""
    shutil.copytree(stored[0].parent, tmp_path / "reports", symlinks=True)
    return tmp_path / "reports" / stored[0].name


@pytest.fixture
def another_policy(tmp_path):
    """Writes the suite's gate.toml with one line changed."""

    def write(old, new):
        text = (ROOT / "gate.toml").read_text()
        assert old in text
        path = tmp_path / "other.toml"
        path.write_text(text.replace(old, new))
        return path

    return write


def test_stdout_is_the_report_and_nothing_else(stored):
    path, result = stored
    assert json.loads(result.stdout) == json.loads(path.read_text())


def test_the_report_is_valid(stored):
    schema = json.loads((ROOT / "contracts" / "report.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(stored[0].read_text()), schema, format_checker=jsonschema.FormatChecker())


def test_it_says_what_it_covers(stored):
    report = json.loads(stored[0].read_text())
    assert (report["scope"], report["partial"]) == ("container", True)
    assert {check["family"] for check in report["checks"]} == {"golden", "scenarios", "lifecycle"}
    assert all(check["executed"] >= check["expected"] for check in report["checks"])


def test_the_same_policy_gives_the_same_verdict_without_an_engine(stored, run_harness):
    result = run_harness("judge", stored[0], "--json", **NO_ENGINE)
    assert result.returncode == ExitCode.PROMOTE, result.stderr
    again, report = json.loads(result.stdout), json.loads(stored[0].read_text())
    assert again["decision"] == report["decision"]
    assert again["checks"] == report["checks"]


def test_latest_is_judged_too(stored, run_harness):
    assert run_harness("judge", stored[0].with_name("latest"), **NO_ENGINE).returncode == ExitCode.PROMOTE


def test_a_tighter_tolerance_gives_another_verdict(stored, another_policy, run_harness):
    tighter = another_policy("atol = 1e-5", "atol = 1e-12")
    result = run_harness("judge", stored[0], "--config", tighter, "--json", **NO_ENGINE)
    assert result.returncode == ExitCode.REJECT
    assert {reason["finding_id"] for reason in json.loads(result.stdout)["reasons"]} == {
        "golden.single.probabilities",
        "golden.batch.probabilities",
        "golden.concurrent.probabilities",
        "golden.loaded.probabilities",
    }
    assert "the run itself had decided: promote" in result.stderr


def test_a_policy_that_asks_something_else_cannot_decide(stored, another_policy, run_harness):
    other = another_policy('pointer = "/label"', 'pointer = "/answer"')
    result = run_harness("judge", stored[0], "--config", other, **NO_ENGINE)
    assert result.returncode == ExitCode.INCONCLUSIVE
    assert "asked under other settings" in result.stderr


def test_changed_evidence_is_refused_with_both_digests(copy, run_harness):
    evidence = copy.with_suffix("") / "golden.single" / "evidence.json"
    recorded = next(
        check["evidence_files"]["golden.single/evidence.json"]
        for check in json.loads(copy.read_text())["checks"]
        if check["id"] == "golden.single"
    )
    evidence.write_text(evidence.read_text().replace("malignant", "benign", 1))
    result = run_harness("judge", copy, **NO_ENGINE)
    assert result.returncode == ExitCode.USAGE
    assert str(evidence) in result.stderr
    assert recorded in result.stderr
    assert len(set(re.findall(r"\b[0-9a-f]{64}\b", result.stderr))) == 2


def test_missing_evidence_is_named(copy, run_harness):
    evidence = copy.with_suffix("") / "scenarios.auth" / "evidence.json"
    evidence.unlink()
    result = run_harness("judge", copy, **NO_ENGINE)
    assert result.returncode == ExitCode.USAGE
    assert str(evidence) in result.stderr


@pytest.mark.parametrize("text", ["", "{}", "[]", "{", '{"schema_version": "0.1"}'])
def test_what_is_no_report_is_refused(copy, run_harness, text):
    copy.write_text(text)
    for command in (["judge", copy], ["report", copy, "--format", "html"]):
        result = run_harness(*command, **NO_ENGINE)
        assert result.returncode == ExitCode.USAGE
        assert str(copy) in result.stderr
        assert "Traceback" not in result.stderr


def test_every_format_is_rendered_as_it_was_stored(stored, run_harness):
    suffixes = {"json": ".json", "html": ".html", "markdown": ".md", "junit": ".junit.xml"}
    for name, suffix in suffixes.items():
        result = run_harness("report", stored[0], "--format", name, **NO_ENGINE)
        assert result.returncode == 0, result.stderr
        assert result.stdout == stored[0].with_name(stored[0].stem + suffix).read_text()
        assert "promote" in result.stdout.lower()


def test_junit_is_xml_with_a_case_for_each_finding(stored):
    root = ET.parse(stored[0].with_name(stored[0].stem + ".junit.xml")).getroot()
    findings = [
        finding["id"]
        for check in json.loads(stored[0].read_text())["checks"]
        for finding in check["findings"]
    ]
    assert {case.get("name") for case in root.iter("testcase")} >= set(findings)


def test_no_secret_of_the_run_is_in_any_file(stored, secrets_of_the_run):
    """Neither keys nor tokens that the service would accept."""
    path, result = stored
    private = serialization.load_pem_private_key(secrets_of_the_run["GATE_SIGNER_ISSUER_PEM"].encode(), None)
    files = [file for file in path.parent.rglob("*") if file.is_file()]
    assert any("scenarios.auth" in file.parts for file in files)
    written = {file: file.read_bytes() for file in files}
    written |= {"stdout": result.stdout.encode(), "stderr": result.stderr.encode()}
    for place, content in written.items():
        for name, secret in secrets_of_the_run.items():
            assert secret.encode() not in content, (place, name)
        assert b"PRIVATE KEY" not in content, place
        for token in TOKEN.findall(content):
            with pytest.raises(jwt.InvalidTokenError):
                jwt.decode(token, private.public_key(), algorithms=["RS256"], audience="inference")
