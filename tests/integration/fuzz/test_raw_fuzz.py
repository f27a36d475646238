import os
import subprocess

import pytest

from harness.checks.fuzz import raw
from harness.checks.fuzz.corpus import CORPUS
from harness.checks.fuzz.raw import RawFuzz
from harness.checks.fuzz.raw_judging import RawEvidence
from harness.errors import ConfigError, TargetError
from harness.model import Outcome

CHECK = RawFuzz()
KEY = "test-key-of-the-fuzz-service"


def fuzzed(context):
    settings = context.suite.config.fuzz
    evidence = CHECK.collect(context, settings)
    evidence.save(context.folder, context.credentials.redact)
    stored = RawEvidence.load(context.folder)
    return stored, {finding.id: finding for finding in CHECK.judge(stored, settings.limits)}


def failed(found):
    return {name for name, finding in found.items() if finding.outcome is Outcome.FAIL}


def test_a_correct_service_passes_the_whole_corpus(serve, context):
    made = context(serve())
    evidence, found = fuzzed(made)
    assert not [finding.message for finding in found.values() if finding.outcome is not Outcome.PASS]
    assert evidence.executed == evidence.expected == len(CORPUS) - len(evidence.not_applicable)
    assert evidence.not_applicable == ("body-of-64-mib-undeclared",)
    stored = (made.folder / "evidence.json").read_text()
    assert KEY not in stored
    assert KEY.encode() not in b"".join(result.request for result in evidence.results)


def test_a_server_error_on_nan_is_named_and_shown_again(serve, context):
    _, found = fuzzed(context(serve("echoes_nan")))
    assert "fuzz.raw.nan" in failed(found)
    assert found["fuzz.raw.nan"].observed == 500
    command = found["fuzz.raw.nan"].reproduce
    assert KEY not in command
    again = subprocess.run(
        ["bash", "-c", command], env={**os.environ, "GATE_KEY_DEFAULT": KEY}, capture_output=True, check=True
    )
    assert again.stdout.startswith(b"HTTP/1.1 500")


def test_what_hangs_on_a_truncated_body_is_named(serve, context):
    served = serve("swallows_end")

    made = context(served, edit=lambda text: text.replace("answer_timeout_s = 2.0", "answer_timeout_s = 0.5"))
    _, found = fuzzed(made)
    # Which of them the server itself ends, by noticing the half-closed connection first, is a race.
    cut_short = {"fuzz.raw.truncated-body", "fuzz.raw.content-length-long", "fuzz.raw.chunked-truncated"}
    hanging = cut_short & set(failed(found))
    assert hanging
    assert all("in time" in found[name].message for name in hanging)
    assert "fuzz.raw.nan" not in failed(found)


@pytest.mark.parametrize("status", [400, 401, 429, 503])
def test_a_valid_request_that_is_refused_ends_the_check(serve, context, status):
    evidence, found = fuzzed(context(serve(f"answers_{status}")))
    assert failed(found) == {"fuzz.raw.valid"}
    assert found["fuzz.raw.cases"].outcome is Outcome.INCONCLUSIVE
    assert evidence.executed == 1


def test_a_service_that_answers_200_to_everything_is_named(serve, context):
    _, found = fuzzed(context(serve("answers_200")))
    refused = {f"fuzz.raw.{case.name}" for case in CORPUS if case.expect == "refused"}
    assert refused - failed(found) <= {"fuzz.raw.body-refused-64-times"}


def test_a_refusal_in_another_form_is_named(serve, context):
    _, found = fuzzed(context(serve("other_error_body")))
    assert '"code" is a required property' in found["fuzz.raw.json-null"].message


def test_only_bytes_that_are_no_text_are_named_where_only_they_crash(serve, context):
    _, found = fuzzed(context(serve("crashes_on_bytes")))
    assert {"fuzz.raw.utf8-invalid", "fuzz.raw.utf8-overlong", "fuzz.raw.binary-body"} <= failed(found)
    assert not {"fuzz.raw.nan", "fuzz.raw.json-cut-off", "fuzz.raw.chunked"} & failed(found)


def stalled_only(monkeypatch):
    monkeypatch.setattr(raw, "CORPUS", [case for case in CORPUS if case.name in {"valid", "clients-stalled"}])


def test_a_service_that_a_slow_sender_blocks_is_named(one_by_one, context, monkeypatch):
    stalled_only(monkeypatch)
    _, found = fuzzed(
        context(one_by_one, edit=lambda text: text.replace("timeout_s = 2.0", "timeout_s = 0.5"))
    )
    assert failed(found) == {"fuzz.raw.clients-stalled"}
    assert "the valid request was then answered not at all" in found["fuzz.raw.clients-stalled"].message


def test_memory_that_is_not_given_back_is_named(serve, context, monkeypatch):
    stalled_only(monkeypatch)
    limited = "\n[fuzz.limits]\nmax_memory_growth_mib = 10\n"
    mib = 1024 * 1024
    for readings, outcome in (
        ([100 * mib, 130 * mib, 109 * mib, 120 * mib], Outcome.PASS),
        ([100 * mib, 130 * mib, 111 * mib, 120 * mib], Outcome.FAIL),
    ):
        served = serve()
        served.memory.extend(readings)
        _, found = fuzzed(context(served, edit=lambda text: text + limited))
        assert found["fuzz.raw.memory"].outcome is outcome


def test_a_service_that_accepts_anything_is_named(serve, context):
    _, found = fuzzed(context(serve("accepts_anything")))
    assert {"fuzz.raw.infinity", "fuzz.raw.number-beyond-double"} <= failed(found)


def test_a_replayed_message_gets_the_same_answer(serve, context):
    made = context(serve())
    evidence, _ = fuzzed(made)
    commands = {result.case: result.reproduce for result in evidence.results}
    for case, answer in (
        ("chunked", b"200 OK"),
        ("nested-10000", b"400 Bad Request"),
        ("http-9.9", b"400 Bad"),
    ):
        assert commands[case].startswith("python3 -c")
        assert KEY not in commands[case]
        again = subprocess.run(
            ["bash", "-c", commands[case]],
            env={**os.environ, "GATE_KEY_DEFAULT": KEY},
            capture_output=True,
            check=True,
        )
        assert answer in again.stdout, case


def test_a_candidate_that_dies_is_a_target_error(serve, context):
    served = serve()
    served.dead = True
    with pytest.raises(TargetError, match="valid"):
        fuzzed(context(served))


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("answer_timeout_s = 2.0", 'expect = { "no-such-case" = "valid" }', "fuzz.raw.expect.no-such-case"),
        (
            'request = { path = "/predict", body = "${input}", credential = "default" }',
            "",
            "fuzz.raw.request",
        ),
        ('body = "${input}"', 'body = "${nothing}"', "fuzz.raw.request"),
        ("schemas/Error", "schemas/Nothing", "fuzz.raw.error_schema"),
        ('openapi = "openapi.json"', "", "fuzz.raw.error_schema"),
    ],
)
def test_a_mistake_in_the_suite_is_a_configuration_error(context, old, new, key):
    made = context(None, edit=lambda text: text.replace(old, new))
    with pytest.raises(ConfigError, match=key.replace(".", r"\.")):
        CHECK.verify_inputs(made.suite, made.suite.config.fuzz)


def test_running_out_of_budget_is_inconclusive(serve, context):
    made = context(serve(), edit=lambda text: text + "budget_s = 0.2\n")
    evidence, found = fuzzed(made)
    assert 0 < evidence.executed < evidence.expected
    assert found["fuzz.raw.cases"].outcome is Outcome.INCONCLUSIVE
