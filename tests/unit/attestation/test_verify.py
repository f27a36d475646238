"""What a deploy asks of an attestation: each demand refused on its own, and nothing before the signature."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attested_reports import DIGEST, IMAGE, SUITE, a_check, a_report, a_waived_check
from cryptography.hazmat.primitives.asymmetric import ed25519
from hypothesis import given
from hypothesis import strategies as st

from harness.attestation import dsse
from harness.attestation.keys import key_id
from harness.attestation.make import attest
from harness.attestation.statement import PAYLOAD_TYPE, Digest, Subject, subject_of
from harness.attestation.verify import (
    CLOCKS_DIFFER,
    Demand,
    Demands,
    Refusal,
    policy_sha256,
    read_envelope,
    verify,
)
from harness.errors import ConfigError
from harness.evidence_files import sha256_file
from harness.model import Decision, Outcome, Reason
from harness.reports.json import ascii_json

KEY = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
FINISHED = datetime(2026, 11, 21, 22, 41, 46, 911_000, tzinfo=UTC)
NOW = FINISHED + timedelta(hours=1)
SUBJECT = subject_of(IMAGE)
EVERY_DEMAND = Demands(image=SUBJECT, max_age=timedelta(days=7), device="cpu")


def stated(report=None):
    report = report or a_report()
    return json.loads(ascii_json(attest(report, Path("run.json"), report_sha256="77" * 32)))


def sealed(statement, key=KEY, payload_type=PAYLOAD_TYPE):
    payload = statement if isinstance(statement, bytes) else json.dumps(statement).encode()
    return dsse.Envelope.model_validate_json(dsse.seal(payload, payload_type, key))


def held(statement, demands=EVERY_DEMAND, *, now=NOW, **sealing):
    return verify(sealed(statement, **sealing), [KEY.public_key()], demands, now=now)


def refusals(*arguments, **options):
    return {refusal.demand: refusal.message for refusal in held(*arguments, **options).refusals}


def changed(change):
    statement = stated()
    change(statement)
    return statement


def test_what_was_asked_for_is_verified():
    found = held(stated())
    assert found.refusals == ()
    assert found.key_id == key_id(KEY.public_key())
    assert found.result.result == "PASSED"
    assert found.result.policy.run.finished_at == FINISHED


@given(
    seed=st.integers(0),
    warned=st.booleans(),
    extra=st.sets(st.sampled_from(["fuzz.raw", "latency.slo", "scenarios.auth"])),
)
def test_what_is_accepted_says_what_the_report_says(seed, warned, extra):
    single = a_check(outcome=Outcome.WARN if warned else Outcome.PASS)
    report = a_report(single, *map(a_check, sorted(extra)), seed=seed)
    result = held(stated(report)).result
    of = {
        outcome: tuple(check.id for check in report.checks if check.outcome is outcome) for outcome in Outcome
    }
    assert result.passed_tests == of[Outcome.PASS]
    assert result.warned_tests == of[Outcome.WARN]
    assert result.failed_tests == ()
    assert result.policy.digest.sha256 == report.policy.sha256
    assert (result.policy.run.id, result.policy.run.seed) == (report.run_id, seed)


# --- each demand


def test_another_signer_is_refused_and_nothing_of_it_believed():
    found = held(stated(), key=OTHER)
    assert [refusal.demand for refusal in found.refusals] == [Demand.SIGNATURE]
    assert (found.key_id, found.result) == (None, None)


def test_no_key_at_all_verifies_nothing():
    found = verify(sealed(stated()), [], EVERY_DEMAND, now=NOW)
    assert [refusal.demand for refusal in found.refusals] == [Demand.SIGNATURE]


def test_another_payload_type_is_refused():
    assert set(refusals(stated(), payload_type="application/json")) == {Demand.PAYLOAD_TYPE}


@pytest.mark.parametrize("more", [{}, {"predicate": {}}], ids=["ours in it", "empty"])
def test_another_predicate_type_is_refused(more):
    other = "https://slsa.dev/provenance/v1"
    found = refusals(changed(lambda statement: statement.update(predicateType=other, **more)))
    assert set(found) == {Demand.PREDICATE_TYPE}
    assert other in found[Demand.PREDICATE_TYPE]


def run_of(statement):
    return statement["predicate"]["configuration"][0]["annotations"]["harnessRun"]


NOT_OURS = {
    "an older statement": lambda statement: statement.update(_type="https://in-toto.io/Statement/v0.1"),
    "no type": lambda statement: statement.pop("_type"),
    "no subject": lambda statement: statement.pop("subject"),
    "a subject without digest": lambda statement: statement["subject"][0].pop("digest"),
    "a digest in capitals": lambda statement: statement["subject"][0]["digest"].update(sha256=DIGEST.upper()),
    "no predicate": lambda statement: statement.pop("predicate"),
    "another result": lambda statement: statement["predicate"].update(result="passed"),
    "no result": lambda statement: statement["predicate"].pop("result"),
    "no configuration": lambda statement: statement["predicate"].pop("configuration"),
    "an empty configuration": lambda statement: statement["predicate"]["configuration"].clear(),
    "no run": lambda statement: statement["predicate"]["configuration"][0].pop("annotations"),
    "no time": lambda statement: run_of(statement).pop("finishedAt"),
    "a time of nowhere": lambda statement: run_of(statement).update(finishedAt="2026-11-21T22:41:46"),
    "another device": lambda statement: run_of(statement).update(device="tpu"),
    "a run that ended before it began": lambda statement: run_of(statement).update(
        startedAt="2026-11-21T22:41:46.912Z"
    ),
    "a pass with a failure": lambda statement: statement["predicate"].update(failedTests=["fuzz.raw"]),
    "a pass of nothing": lambda statement: statement["predicate"].update(passedTests=[]),
    "a warning of nothing": lambda statement: statement["predicate"].update(
        result="WARNED", passedTests=[], failedTests=["fuzz.raw"]
    ),
    "a failure of nothing": lambda statement: statement["predicate"].update(result="FAILED"),
    "a test that passed and failed": lambda statement: statement["predicate"].update(
        result="WARNED", failedTests=["golden.single"]
    ),
    "two policies": lambda statement: statement["predicate"]["configuration"].append(
        {**statement["predicate"]["configuration"][0], "name": "other.toml"}
    ),
}


@pytest.mark.parametrize("change", NOT_OURS.values(), ids=list(NOT_OURS))
def test_a_statement_that_is_none_of_ours_is_refused(change):
    assert set(refusals(changed(change))) == {Demand.STATEMENT}


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 5000])
def test_a_payload_that_is_no_statement_is_refused(payload):
    assert set(refusals(payload)) == {Demand.STATEMENT}


def test_a_pass_that_only_warns_is_one():
    def warn(statement):
        statement["predicate"].update(passedTests=[], warnedTests=["golden.single"])

    assert refusals(changed(warn)) == {}


def test_unknown_keys_are_ignored():
    def more(statement):
        statement["more"] = statement["predicate"]["more"] = run_of(statement)["more"] = {"a": 1}
        statement["subject"][0]["digest"]["sha512"] = "00"

    assert refusals(changed(more)) == {}


def test_another_image_is_refused():
    other = Subject(name=SUBJECT.name, digest=Digest(sha256="00" * 32))
    found = refusals(stated(), Demands(image=other))
    assert set(found) == {Demand.SUBJECT}
    assert IMAGE in found[Demand.SUBJECT]
    nobody = changed(lambda statement: statement["subject"].clear())
    assert set(refusals(nobody)) == {Demand.SUBJECT}


def test_the_same_bytes_in_another_repository_are_the_same_image():
    mirror = Subject(name="mirror.example/service", digest=SUBJECT.digest)
    assert refusals(stated(), Demands(image=mirror)) == {}


def test_a_reject_is_refused():
    bad = a_check(outcome=Outcome.FAIL)
    reason = (Reason(check_id=bad.id, finding_id="", message="off"),)
    found = refusals(stated(a_report(bad, decision=Decision.REJECT, reasons=reason)))
    assert found == {Demand.RESULT: "FAILED: golden.single"}
    allowing = Demands(image=SUBJECT, warned=True)
    assert set(refusals(stated(a_report(bad, decision=Decision.REJECT)), allowing)) == {Demand.RESULT}


def test_a_waived_failure_is_refused_unless_allowed():
    statement = stated(a_report(a_waived_check()))
    found = refusals(statement)
    assert set(found) == {Demand.RESULT}
    assert "golden.single" in found[Demand.RESULT]
    assert refusals(statement, Demands(image=SUBJECT, warned=True)) == {}


def test_a_stale_run_is_refused():
    last = FINISHED + timedelta(days=7)
    assert refusals(stated(), now=last) == {}
    assert set(refusals(stated(), now=last + timedelta(milliseconds=1))) == {Demand.AGE}
    assert refusals(stated(), Demands(image=SUBJECT), now=last + timedelta(days=900)) == {}


def test_a_run_of_the_future_is_refused_though_clocks_differ():
    assert refusals(stated(), now=FINISHED - CLOCKS_DIFFER) == {}
    for demands in (EVERY_DEMAND, Demands(image=SUBJECT)):
        soon = FINISHED - CLOCKS_DIFFER - timedelta(milliseconds=1)
        assert set(refusals(stated(), demands, now=soon)) == {Demand.AGE}


def test_another_device_is_refused():
    found = refusals(stated(), Demands(image=SUBJECT, device="gpu"))
    assert found == {Demand.DEVICE: "gated on cpu, asked for is gpu"}


def test_everything_that_is_wrong_is_told():
    other = Subject(name="", digest=Digest(sha256="00" * 32))
    demands = Demands(image=other, device="gpu", max_age=timedelta(minutes=1))
    found = refusals(stated(a_report(a_waived_check())), demands)
    assert list(found) == [Demand.SUBJECT, Demand.RESULT, Demand.AGE, Demand.DEVICE]


def test_what_nobody_asked_for_is_told(suite):
    nothing = held(stated(), Demands(image=SUBJECT))
    assert [said.partition(":")[0] for said in nothing.not_checked] == ["policy", "age", "device"]
    config, statement = suite
    everything = Demands(image=SUBJECT, policy=config, max_age=timedelta(days=7), device="cpu")
    assert held(statement, everything).not_checked == ()


# --- the policy and the files beside it


@pytest.fixture
def suite(tmp_path):
    """A gate.toml with its golden files, and the statement of a run that read them."""
    (tmp_path / "golden").mkdir()
    config = tmp_path / "gate.toml"
    config.write_text(SUITE.text)
    names = ("golden/golden.toml", "golden/cases.jsonl")
    for name in names:
        (tmp_path / name).write_text(name)
    inputs = {name: sha256_file(tmp_path / name) for name in names}
    return config, stated(a_report(a_check(inputs=inputs), a_check("golden.batch", inputs=inputs)))


def by_policy(suite):
    config, statement = suite
    return refusals(statement, Demands(image=SUBJECT, policy=config))


def test_the_suite_that_decided_is_accepted(suite):
    assert by_policy(suite) == {}


def test_a_policy_that_lies_alone_is_held_against_its_digest_and_the_rest_told(suite, tmp_path):
    for file in (tmp_path / "golden").iterdir():
        file.unlink()
    config, statement = suite
    demands = Demands(image=SUBJECT, policy=config, max_age=timedelta(days=7), device="cpu")
    found = held(statement, demands)
    assert found.refusals == ()
    (said,) = found.not_checked
    assert said.startswith("suite: ")
    assert "none of its 2 files" in said


def test_a_suite_of_one_file_has_nothing_left_to_check(suite):
    config, _ = suite
    statement = stated(a_report(*(a_check(name, inputs={}) for name in ("golden.single", "golden.batch"))))
    demands = Demands(image=SUBJECT, policy=config, max_age=timedelta(days=7), device="cpu")
    assert held(statement, demands).not_checked == ()


def test_another_policy_is_refused(suite):
    config, _ = suite
    config.write_text(SUITE.text + "# looser\n")
    found = by_policy(suite)
    assert set(found) == {Demand.POLICY}
    assert SUITE.sha256 in found[Demand.POLICY]
    assert policy_sha256(config) in found[Demand.POLICY]


def test_other_goldens_beside_the_same_policy_are_refused(suite):
    cases = suite[0].parent / "golden" / "cases.jsonl"
    cases.write_text("other")
    assert "golden/cases.jsonl was " in by_policy(suite)[Demand.POLICY]
    cases.unlink()
    assert "golden/cases.jsonl was read by the run" in by_policy(suite)[Demand.POLICY]
    cases.mkdir()
    assert "golden/cases.jsonl was read by the run" in by_policy(suite)[Demand.POLICY]


def test_line_ends_are_no_other_policy(suite):
    config, _ = suite
    config.write_bytes(SUITE.text.replace("\n", "\r\n").encode())
    assert by_policy(suite) == {}


# --- the file


@pytest.fixture
def file(tmp_path):
    """Writes what may be an attestation."""

    def write(content):
        path = tmp_path / "attestation.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def test_an_envelope_is_read(file):
    text = dsse.seal(b"p", PAYLOAD_TYPE, KEY)
    assert read_envelope(file(text)) == dsse.Envelope.model_validate_json(text)


def test_a_bare_statement_is_never_believed(file):
    refusal = read_envelope(file(stated()))
    assert isinstance(refusal, Refusal)
    assert refusal.demand is Demand.SIGNATURE
    assert "nobody has signed" in refusal.message


def test_a_sigstore_bundle_is_left_to_what_can_verify_it(file):
    bundle = {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"certificate": {"rawBytes": ""}},
        "dsseEnvelope": json.loads(dsse.seal(b"p", PAYLOAD_TYPE, KEY)),
    }
    refusal = read_envelope(file(bundle))
    assert isinstance(refusal, Refusal)
    assert "gh attestation verify" in refusal.message


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "1", "{}", '{"payload": 1}', "{}\n{}", "[" * 5000, '"\\ud800"']
)
def test_what_is_no_envelope_cannot_be_read(file, content):
    with pytest.raises(ConfigError, match=r"attestation\.json: ") as caught:
        read_envelope(file(content))
    assert "harness report" in caught.value.fix


def test_a_file_that_is_not_there_cannot_be_read(tmp_path):
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(ConfigError, match="cannot be read"):
            read_envelope(path)
