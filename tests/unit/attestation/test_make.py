"""The statement about a report: true to it, of in-toto's form, and refused where none would be true."""

import json
import re
from datetime import datetime
from pathlib import Path

import pytest
from attested_reports import DIGEST, IMAGE, INPUTS, SUITE, a_check, a_report, a_waived_check
from hypothesis import example, given
from hypothesis import strategies as st

from harness.attestation.make import attest
from harness.attestation.statement import subject_of
from harness.errors import ConfigError, ExitCode, HarnessError, UsageError
from harness.model import Decision, Finding, Outcome, PolicyRecord, Reason, Scope, TargetDescription
from harness.reports.json import ascii_json

PATH = Path("reports/run.json")
REPORT_SHA256 = "77" * 32
BAD = a_check(outcome=Outcome.FAIL)
REASON = (Reason(check_id="golden.single", finding_id="", message="off"),)


def made(report, **options):
    return json.loads(ascii_json(attest(report, PATH, report_sha256=REPORT_SHA256, **options)))


def refused(report):
    with pytest.raises(HarnessError) as caught:
        attest(report, PATH, report_sha256=REPORT_SHA256)
    assert caught.value.exit_code == ExitCode.USAGE
    assert str(PATH) in str(caught.value)
    assert caught.value.fix
    return str(caught.value)


def rejected():
    return a_report(BAD, decision=Decision.REJECT, reasons=REASON)


def test_a_promote_whole():
    url = "https://github.com/team/service/actions/runs/1"
    assert made(a_report(), url=url) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "registry.example/team/service", "digest": {"sha256": DIGEST}}],
        "predicateType": "https://in-toto.io/attestation/test-result/v0.1",
        "predicate": {
            "result": "PASSED",
            "configuration": [
                {
                    "name": "gate.toml",
                    "digest": {"sha256": SUITE.sha256},
                    "annotations": {
                        "harnessRun": {
                            "id": "20261121T224017Z-5e5e5e5e5e5e-7c1e9a",
                            "reportSha256": REPORT_SHA256,
                            "startedAt": "2026-11-21T22:40:17.204Z",
                            "finishedAt": "2026-11-21T22:41:46.911Z",
                            "device": "cpu",
                            "seed": 7,
                            "harnessVersion": "0.1.0",
                        }
                    },
                },
                *({"name": name, "digest": {"sha256": INPUTS[name]}} for name in sorted(INPUTS)),
            ],
            "url": url,
            "passedTests": ["golden.single", "golden.batch"],
            "warnedTests": [],
            "failedTests": [],
        },
    }


def test_a_reject_is_failed_and_names_what_failed():
    predicate = made(rejected())["predicate"]
    assert (predicate["result"], predicate["failedTests"]) == ("FAILED", ["golden.single"])
    assert predicate["passedTests"] == ["golden.batch"]


def test_a_warning_breaks_no_limit():
    predicate = made(a_report(a_check(outcome=Outcome.WARN)))["predicate"]
    assert (predicate["result"], predicate["warnedTests"]) == ("PASSED", ["golden.single"])


def test_a_waived_failure_is_no_plain_pass():
    predicate = made(a_report(a_waived_check()))["predicate"]
    assert (predicate["result"], predicate["warnedTests"]) == ("WARNED", ["golden.single"])


def test_a_failure_of_what_is_not_required_is_no_plain_pass():
    predicate = made(a_report(a_check("fuzz.raw", Outcome.FAIL)))["predicate"]
    assert (predicate["result"], predicate["failedTests"]) == ("WARNED", ["fuzz.raw"])


@pytest.mark.parametrize(
    "outcome", [Outcome.SKIP, Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.NOT_APPLICABLE]
)
def test_what_has_no_judgement_is_in_no_list(outcome):
    predicate = made(a_report(a_check("fuzz.raw", outcome)))["predicate"]
    assert predicate["result"] == "PASSED"
    assert "fuzz.raw" not in {*predicate["passedTests"], *predicate["warnedTests"], *predicate["failedTests"]}


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        (TargetDescription(kind=Scope.CONTAINER, repo_digest=IMAGE, image_id="sha256:1"), IMAGE),
        (TargetDescription(kind=Scope.CONTAINER, image_id="sha256:1"), "sha256:1"),
        (TargetDescription(kind=Scope.URL, url="http://127.0.0.1:1"), "http://127.0.0.1:1"),
        (TargetDescription(kind=Scope.PROCESS), "process"),
    ],
)
def test_the_reference_is_named(reference, told):
    configuration = made(a_report(reference=reference))["predicate"]["configuration"]
    assert configuration[0]["annotations"]["harnessRun"]["reference"] == told


# --- refused


def test_another_scope_is_refused():
    for scope in (Scope.PROCESS, Scope.URL):
        target = TargetDescription(kind=scope, repo_digest=IMAGE)
        assert f"its candidate was a {scope.value}" in refused(a_report(scope=scope, candidate=target))
        assert f"its candidate was a {scope.value}" in refused(a_report(candidate=target))


@pytest.mark.parametrize(
    "fields",
    [
        {"partial": True},
        {"only": ("golden",)},
        {"only_checks": ("golden.single",)},
        {"skip": ("fuzz",)},
        {"replay": {"case.json": "ab" * 32}},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_a_partial_run_is_refused_whatever_it_calls_itself(fields):
    assert "it is partial" in refused(a_report(**fields))


def test_an_inconclusive_verdict_is_refused():
    doubtful = a_check(outcome=Outcome.INCONCLUSIVE)
    said = refused(a_report(doubtful, decision=Decision.INCONCLUSIVE, reasons=REASON))
    assert "neither PASSED nor FAILED" in said


def test_an_image_that_no_registry_has_is_refused():
    target = TargetDescription(kind=Scope.CONTAINER, image="service:1", image_id="sha256:1")
    assert "never pushed" in refused(a_report(candidate=target))


@pytest.mark.parametrize(
    "told", ["", "service:1", "sha256:" + DIGEST, f"{IMAGE}0", f"{IMAGE}\n", "a@sha256:F"]
)
def test_what_is_no_repository_digest_is_refused(told):
    target = TargetDescription(kind=Scope.CONTAINER, repo_digest=told)
    assert "no repository digest" in refused(a_report(candidate=target))


def test_a_policy_that_is_not_the_one_digested_is_refused():
    record = PolicyRecord(path="gate.toml", sha256=SUITE.sha256, content=SUITE.text + "\n# looser\n")
    assert "policy.content was changed since the run" in refused(a_report(policy=record))


@pytest.mark.parametrize("outcome", set(Outcome) - {Outcome.PASS, Outcome.WARN})
def test_a_promote_that_its_checks_do_not_support_is_refused(outcome):
    assert "decision: its checks come to " in refused(a_report(a_check(outcome=outcome)))


def test_a_promote_without_a_required_check_is_refused():
    whole = a_report()
    for check in whole.checks:
        rest = tuple(other for other in whole.checks if other is not check)
        said = refused(whole.model_copy(update={"checks": rest}))
        assert "its checks come to inconclusive (got 'promote')" in said


PASSED = Finding(id="golden.single.y", outcome=Outcome.PASS, message="seen")
CONTRADICTIONS = {
    "a pass of nothing": {"expected": 0, "executed": 0, "findings": ()},
    "a pass without a finding": {"findings": ()},
    "a pass of no case": {"expected": 0, "executed": 0},
    "a pass of one case of twelve": {"executed": 1},
    "a pass with a failed finding": {"findings": (PASSED.model_copy(update={"outcome": Outcome.FAIL}),)},
    "a warning of which no finding warns": {"outcome": Outcome.WARN, "findings": (PASSED,)},
}


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("fields", CONTRADICTIONS.values(), ids=list(CONTRADICTIONS))
def test_a_check_that_its_findings_and_cases_do_not_support_is_refused(fields, required):
    check = a_check("golden.single" if required else "fuzz.raw", **fields)
    said = refused(a_report(check))
    assert f"checks.{check.id}.outcome: its findings and cases come to " in said


def test_a_check_that_hides_a_failure_behind_no_judgement_is_refused():
    hidden = a_check("fuzz.raw", Outcome.SKIP, findings=BAD.findings)
    assert "checks.fuzz.raw.outcome: its findings and cases come to fail (got 'skip')" in refused(
        a_report(hidden)
    )


def test_a_promote_with_a_reason_against_it_is_refused():
    assert "reasons: a promote has none" in refused(a_report(reasons=REASON))


def test_a_suite_that_changed_during_the_run_is_refused():
    changed = a_check(inputs={**INPUTS, "golden/cases.jsonl": "ef" * 32})
    assert "other bytes than another check of the run had read (got 'golden/cases.jsonl')" in refused(
        a_report(changed)
    )


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"finished_at": "yesterday"}, "finished"),
        ({"started_at": "2026-11-21T22:41:46"}, "started"),
        ({"finished_at": "2026-11-21T22:40:17.203+00:00"}, "finished_at: .* before started_at"),
        ({"started_at": "0001-01-01T00:00:00+14:00"}, "started_at: .* beyond the calendar"),
    ],
)
def test_a_time_that_is_none_is_refused(fields, says):
    with pytest.raises(ConfigError, match=says):
        attest(a_report(**fields), PATH, report_sha256=REPORT_SHA256)


@pytest.mark.parametrize(
    "url", ["", "run/1", "javascript:alert(1)", "https://x/a b", "https://X/a", "https://x/\n"]
)
def test_a_url_that_is_none_is_refused(url):
    with pytest.raises(UsageError, match="--url"):
        attest(a_report(), PATH, report_sha256=REPORT_SHA256, url=url)


# --- any report


SHA256 = st.text("0123456789abcdef", min_size=64, max_size=64)
TIMES = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2200, 1, 1)).map(  # noqa: DTZ001 - of a text
    lambda time: time.isoformat(timespec="milliseconds") + "+00:00"
)


@given(
    digest=SHA256,
    times=st.tuples(TIMES, TIMES).map(sorted),
    device=st.sampled_from(["cpu", "gpu"]),
    outcomes=st.dictionaries(
        st.sampled_from(["golden.single", "golden.batch", "fuzz.raw", "latency.slo"]),
        st.sampled_from(Outcome),
    ),
    inputs=st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1, max_size=9), SHA256, max_size=3),
)
def test_what_is_stated_is_what_the_report_says(digest, times, device, outcomes, inputs):
    checks = [a_check(name, outcome, inputs={}) for name, outcome in outcomes.items()]
    checks.append(a_check("drift.traffic", inputs=inputs))
    bad = {outcome for name, outcome in outcomes.items() if name.startswith("golden.")}
    decision = Decision.PROMOTE
    if bad - {Outcome.PASS, Outcome.WARN}:
        decision = Decision.REJECT if Outcome.FAIL in bad else Decision.INCONCLUSIVE
    repo_digest = f"registry.example:5000/service@sha256:{digest}"
    report = a_report(
        *checks,
        decision=decision,
        started_at=times[0],
        finished_at=times[1],
        candidate=TargetDescription(kind=Scope.CONTAINER, repo_digest=repo_digest, device=device),
    )
    if decision is Decision.INCONCLUSIVE:
        assert "neither PASSED nor FAILED" in refused(report)
        return
    statement = made(report)
    predicate = statement["predicate"]
    assert statement["subject"] == [{"name": "registry.example:5000/service", "digest": {"sha256": digest}}]
    failed = [check.id for check in report.checks if check.outcome is Outcome.FAIL]
    passed = "WARNED" if failed else "PASSED"
    assert predicate["result"] == (passed if decision is Decision.PROMOTE else "FAILED")
    assert predicate["failedTests"] == failed
    assert {*predicate["passedTests"], *predicate["warnedTests"]} == {
        check.id for check in report.checks if check.outcome in {Outcome.PASS, Outcome.WARN}
    }
    policy, *files = predicate["configuration"]
    run = policy["annotations"]["harnessRun"]
    assert policy["digest"]["sha256"] == report.policy.sha256
    assert (run["id"], run["device"]) == (report.run_id, device)
    for told, of in ((run["startedAt"], times[0]), (run["finishedAt"], times[1])):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told)
        assert datetime.fromisoformat(told) == datetime.fromisoformat(of)
    read = {name: sha256 for check in report.checks for name, sha256 in check.inputs.items()}
    assert {file["name"]: file["digest"]["sha256"] for file in files} == read


@example(text="", outcome=Outcome.PASS, decision=Decision.PROMOTE, scope=Scope.CONTAINER)
@given(
    text=st.text(st.characters(codec="utf-8"), max_size=20),
    outcome=st.sampled_from(Outcome),
    decision=st.sampled_from(Decision),
    scope=st.sampled_from(Scope),
)
def test_no_report_is_more_than_refused_and_none_is_passed_that_was_not_promoted(
    text, outcome, decision, scope
):
    target = TargetDescription(kind=scope, repo_digest=text or IMAGE)
    check = a_check(outcome=outcome, inputs={text: text} if len(text) > 1 else {})
    report = a_report(check, decision=decision, candidate=target, finished_at=text or "2026-11-21T22:41Z")
    passed = {
        (Decision.PROMOTE, Outcome.PASS): "PASSED",
        (Decision.PROMOTE, Outcome.WARN): "PASSED",
        (Decision.REJECT, Outcome.FAIL): "FAILED",
    }
    try:
        statement = attest(report, PATH, report_sha256=REPORT_SHA256)
    except (UsageError, ConfigError):
        return
    assert statement.predicate["result"] == passed[decision, outcome]


def test_the_text_is_harmless_in_a_terminal():
    hostile = "\x1b]0;x\x07\x7f\u202e\x9b2J"
    text = ascii_json(
        attest(a_report(a_check(inputs={hostile: "ab" * 32})), PATH, report_sha256=REPORT_SHA256)
    )
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    assert hostile in {each["name"] for each in json.loads(text)["predicate"]["configuration"]}


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        (f"service@sha256:{DIGEST}", "service"),
        (f"team/service:1.4.0@sha256:{DIGEST}", "team/service"),
        (f"service:5000@sha256:{DIGEST}", "service"),
        (f"localhost:5000/service@sha256:{DIGEST}", "localhost:5000/service"),
        (f"Registry.example/a__b/c-d.e:v1_2@sha256:{DIGEST}", "Registry.example/a__b/c-d.e"),
    ],
)
def test_the_subject_of_an_image_by_digest(reference, name):
    subject = subject_of(reference)
    assert (subject.name, subject.digest.sha256) == (name, DIGEST)
