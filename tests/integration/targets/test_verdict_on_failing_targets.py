"""What a target that fails does to the verdict: the candidate's own fault rejects it, any other does not."""

import json
import time

import pytest

from harness.errors import ExitCode, InfrastructureError
from harness.model import Decision, ErrorKind, Outcome
from harness.policy import exit_code

pytestmark = pytest.mark.engine

PAIRED = """
[latency]
rate_per_s = 50
budget_s = 6
block_s = 0.5
warmup_requests = 2
"""
BOTH_REQUIRED = {'required = ["golden"]': 'required = ["golden", "latency"]'}


def check(report, check_id):
    return next(result for result in report.checks if result.id == check_id)


def finding(report, finding_id):
    return next(f for result in report.checks for f in result.findings if f.id == finding_id)


def test_a_healthy_candidate_is_promoted(run_gate, tiny_suite, tiny_image):
    report, path = run_gate(tiny_suite(), tiny_image)
    assert (report.decision, report.reasons) == (Decision.PROMOTE, ())
    assert path.is_file()


def test_an_image_that_does_not_exist_is_infrastructure_and_writes_no_report(run_gate, tiny_suite, tmp_path):
    with pytest.raises(InfrastructureError, match="no-such-image") as caught:
        run_gate(tiny_suite(), "harness-test-no-such-image:1")
    assert caught.value.exit_code == ExitCode.INFRASTRUCTURE
    assert caught.value.fix
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize(
    ("way", "says"),
    [
        ("exit", "exit code 3; its last line: no model file at /model.onnx"),
        ("never-ready", "not ready within 2 s: GET /ready on port 8080"),
        ("other-port", "GET /ready on port 8080 gave"),
        ("garbage", "GET /ready on port 8080 gave RemoteProtocolError"),
    ],
)
def test_a_candidate_that_does_not_get_ready_is_rejected(run_gate, tiny_suite, tiny_variant, way, says):
    config = tiny_suite(replace={"ready_timeout_s = 15": "ready_timeout_s = 2"})
    started = time.monotonic()
    report, path = run_gate(config, tiny_variant(f'CMD ["{way}"]'))
    assert time.monotonic() - started < 15
    assert report.decision is Decision.REJECT
    assert exit_code(report.decision, report.checks) == ExitCode.REJECT
    assert [reason.finding_id for reason in report.reasons if reason.finding_id] == ["lifecycle.target.ready"]
    ready = finding(report, "lifecycle.target.ready")
    assert says in ready.message
    assert check(report, "golden.single").outcome is Outcome.SKIP
    if ready.evidence.endswith(".log"):
        assert (path.with_suffix("") / ready.evidence).read_text().strip()


def test_a_command_that_the_image_lacks_is_the_candidates_fault(run_gate, tiny_suite, build_image):
    image = build_image("no-command", 'FROM ${BASE}\nENTRYPOINT ["no-such-executable"]\n')
    report, _ = run_gate(tiny_suite(), image)
    assert report.decision is Decision.REJECT
    assert "no-such-executable" in finding(report, "lifecycle.target.ready").message


def test_a_candidate_that_dies_halfway_is_rejected_with_its_last_words(run_gate, tiny_suite, tiny_variant):
    report, path = run_gate(tiny_suite(), tiny_variant("ENV DIES_AT=5"))
    assert report.decision is Decision.REJECT
    alive = finding(report, "lifecycle.target.alive")
    assert alive.outcome is Outcome.FAIL
    assert "last words of the tiny service" in alive.message
    assert "last words of the tiny service" in (path.with_suffix("") / alive.evidence).read_text()


def test_a_reference_that_does_not_start_says_nothing_of_the_candidate(
    run_gate, tiny_suite, tiny_image, tiny_variant
):
    config = tiny_suite(PAIRED, replace=BOTH_REQUIRED)
    report, _ = run_gate(config, tiny_image, reference=tiny_variant('CMD ["exit"]'))
    assert report.decision is Decision.INCONCLUSIVE
    assert exit_code(report.decision, report.checks) == ExitCode.INFRASTRUCTURE
    assert check(report, "golden.single").outcome is Outcome.PASS
    assert check(report, "lifecycle.target").outcome is Outcome.PASS
    (reason,) = report.reasons
    assert reason.check_id.startswith("latency.")
    assert "the reference did not get ready" in reason.message
    assert "no model file at /model.onnx" in reason.message
    error = check(report, reason.check_id).error
    assert error is not None
    assert error.kind is ErrorKind.INFRASTRUCTURE


def test_a_failure_found_stands_though_the_reference_fails_too(run_gate, tiny_suite, tiny_variant):
    config = tiny_suite(PAIRED, replace=BOTH_REQUIRED)
    report, _ = run_gate(config, tiny_variant("ENV FACTOR=3"), reference=tiny_variant('CMD ["exit"]'))
    assert report.decision is Decision.REJECT
    assert report.reasons[0].check_id == "golden.single"
    assert exit_code(report.decision, report.checks) == ExitCode.REJECT


def test_secrets_are_in_no_file_of_the_report(run_gate, tiny_suite, tiny_variant, monkeypatch):
    """Not even where the service prints them and then dies of it."""
    secret = "sesame-7d1c0c7a-of-this-test"
    monkeypatch.setenv("GATE_KEY_CALLER", secret)
    shout = 'ENTRYPOINT ["sh", "-c", "echo my key is $TINY_KEY; exit 3"]'
    report, path = run_gate(tiny_suite(), tiny_variant(shout))
    assert report.decision is Decision.REJECT
    assert "my key is" in finding(report, "lifecycle.target.ready").message
    files = [file for file in path.parent.rglob("*") if file.is_file()]
    assert len(files) > 4
    assert [file for file in files if secret.encode() in file.read_bytes()] == []


def test_the_report_names_the_image_by_id(run_gate, tiny_suite, tiny_image, engine):
    report, path = run_gate(tiny_suite(), tiny_image)
    stored = json.loads(path.read_text())
    assert stored["candidate"]["image"] == tiny_image
    assert stored["candidate"]["image_id"] == engine.images.get(tiny_image).id
    assert stored["candidate"]["repo_digest"] is None
    assert report.run_id.split("-")[1] == stored["candidate"]["image_id"].removeprefix("sha256:")[:12]
