"""Stored requests are sent again: the same check, against a service that still has the fault or no longer."""

import dataclasses
import json

import pytest

from harness.checks.fuzz import raw
from harness.checks.fuzz.corpus import CORPUS
from harness.checks.fuzz.raw import RawFuzz
from harness.checks.fuzz.replay import ReplayEvidence, ReplayFuzz
from harness.checks.fuzz.reproducer import read_all
from harness.checks.fuzz.schema import SchemaFuzz
from harness.errors import ConfigError, TargetError
from harness.model import Outcome

KEY = "test-key-of-the-fuzz-service"


def collected(check, made):
    folder = made.folder / check.id
    folder.mkdir(exist_ok=True)
    placed = dataclasses.replace(made, folder=folder)
    evidence = check.collect(placed, placed.suite.config.fuzz)
    evidence.save(folder, placed.credentials.redact)
    return folder, evidence


def replayed(files, made):
    check = ReplayFuzz(files)
    check.verify_inputs(made.suite, made.suite.config.fuzz)
    folder, evidence = collected(check, made)
    assert ReplayEvidence.load(folder) == evidence
    findings = check.judge(evidence, made.suite.config.fuzz.limits)
    assert len({finding.id for finding in findings}) == len(findings) == len(files)
    return {
        finding.message.partition(" still")[0].partition(" no longer")[0]: finding for finding in findings
    }


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("crashes_on_name", "not_a_server_error"),
        ("accepts_anything", "negative_data_rejection"),
        ("ignores_auth", "ignored_auth"),
    ],
)
def test_a_generated_request_fails_as_long_as_the_fault_is_there(serve, context, fault, check):
    folder, _ = collected(SchemaFuzz(), context(serve(fault)))
    stored = list((folder / "reproducers").glob(f"{check.replace('_', '-')}*.json"))
    assert stored
    assert KEY not in stored[0].read_text()
    files = read_all(stored)
    what = f"fuzz.schema {check} POST /predict"
    faulty = serve(fault)
    assert replayed(files, context(faulty))[what].outcome is Outcome.FAIL
    assert len(faulty.requests) < 5, "nothing is generated"
    assert replayed(files, context(serve()))[what].outcome is Outcome.PASS


def test_raw_requests_fail_as_long_as_the_fault_is_there(serve, context, monkeypatch):
    chosen = {"valid", "nan", "infinity", "chunked"}
    monkeypatch.setattr(raw, "CORPUS", [case for case in CORPUS if case.name in chosen])
    folder, _ = collected(RawFuzz(), context(serve("echoes_nan")))
    stored = folder / "reproducers"
    assert {path.name for path in stored.iterdir()} == {"nan.json", "infinity.json"}
    text = (stored / "nan.json").read_text()
    assert KEY not in text
    assert "X-API-Key: $GATE_KEY_DEFAULT" in text
    assert "Host: $HARNESS_HOST" in text
    files = read_all([stored])
    still = replayed(files, context(serve("echoes_nan")))
    assert {name: finding.outcome for name, finding in still.items()} == {
        "fuzz.raw nan": Outcome.FAIL,
        "fuzz.raw infinity": Outcome.FAIL,
    }
    mended = replayed(files, context(serve()))
    assert {finding.outcome for finding in mended.values()} == {Outcome.PASS}


def test_a_service_that_answers_nothing_has_not_been_mended(serve, context):
    folder, _ = collected(SchemaFuzz(), context(serve("crashes_on_name")))
    files = read_all([folder / "reproducers" / "not-a-server-error.POST-predict.500.json"])
    served = serve()
    served.base_url = "http://127.0.0.1:9"
    (finding,) = replayed(files, context(served)).values()
    assert finding.outcome is Outcome.FAIL
    served.dead = True
    with pytest.raises(TargetError, match="stored request"):
        replayed(files, context(served))


def test_an_operation_that_the_contract_lacks_is_an_error_of_the_file(serve, context):
    folder, _ = collected(SchemaFuzz(), context(serve("crashes_on_name")))
    path = folder / "reproducers" / "not-a-server-error.POST-predict.500.json"
    document = json.loads(path.read_text())
    document["case"]["path"] = "/gone"
    path.write_text(json.dumps(document))
    made = context(serve())
    with pytest.raises(ConfigError, match="no operation of openapi"):
        ReplayFuzz(read_all([path])).verify_inputs(made.suite, made.suite.config.fuzz)
