import json
import os
import re
import subprocess

import pytest

from harness.checks.fuzz.schema import SchemaFuzz
from harness.checks.fuzz.schema_evidence import SchemaEvidence
from harness.errors import TargetError
from harness.model import Outcome

CHECK = SchemaFuzz()
CASES = 15
KEY = "test-key-of-the-fuzz-service"


def fuzzed(context):
    settings = context.suite.config.fuzz
    evidence = CHECK.collect(context, settings)
    evidence.save(context.folder, context.credentials.redact)
    stored = SchemaEvidence.load(context.folder)
    return stored, {finding.id: finding for finding in CHECK.judge(stored, settings.limits)}


def failed(found, name):
    """The failures whose ids begin so."""
    prefix = f"fuzz.schema.{name}"
    return [item for id_, item in found.items() if id_.startswith(prefix) and item.outcome is Outcome.FAIL]


def test_a_correct_service_passes_with_all_its_cases(serve, context):
    seen = []
    made = context(serve())
    object.__setattr__(made, "progress", lambda done, total: seen.append((done, total)))
    evidence, found = fuzzed(made)
    assert not [finding.message for finding in found.values() if finding.outcome is not Outcome.PASS]
    assert evidence.expected == evidence.executed == 2 * CASES
    assert {operation.operation for operation in evidence.operations} == {"POST /predict", "GET /health"}
    assert all(operation.cases >= CASES for operation in evidence.operations)
    assert seen[-1] == (2 * CASES, 2 * CASES)
    assert KEY not in (made.folder / "evidence.json").read_text()
    for name in ("not_a_server_error", "negative_data_rejection", "ignored_auth", "unsupported_method"):
        assert found[f"fuzz.schema.{name}"].samples > 0


@pytest.mark.parametrize(
    ("fault", "finding"),
    [
        ("accepts_anything", "negative_data_rejection"),
        ("undocumented_status", "status_code_conformance"),
        ("wrong_schema", "response_schema_conformance"),
        ("crashes_on_name", "not_a_server_error"),
        ("ignores_auth", "ignored_auth"),
        ("answers_400", "accepted_share"),
        ("answers_401", "accepted_share"),
        ("answers_429", "accepted_share"),
        ("answers_503", "accepted_share"),
        ("answers_200", "negative_data_rejection"),
    ],
)
def test_a_fault_is_named(serve, context, fault, finding):
    _, found = fuzzed(context(serve(fault)))
    assert failed(found, finding)
    assert found["fuzz.schema.cases"].outcome is Outcome.PASS


def test_a_service_that_hangs_fails(serve, context):
    made = context(
        serve("hangs"), edit=lambda text: text.replace("answer_timeout_s = 5.0", "answer_timeout_s = 0.5")
    )
    evidence, found = fuzzed(made)
    assert "GET /health" in found["fuzz.schema.no_answer.GET /health.timeout"].message
    assert evidence.executed < evidence.expected


def test_a_failure_is_minimal_and_its_command_shows_it_again(serve, context):
    made = context(serve("crashes_on_name"))
    evidence, found = fuzzed(made)
    finding = found["fuzz.schema.not_a_server_error.POST /predict.500"]
    (kind,) = [kind for kind in evidence.failures if kind.check == "not_a_server_error"]
    assert kind.again
    assert len(json.loads(kind.body)["name"]) == 1
    assert json.loads(kind.body).keys() == {"width", "count", "name"}
    assert (made.folder.parent / finding.replay).is_file()
    command = finding.reproduce
    assert KEY not in command
    assert "$GATE_KEY_DEFAULT" in command
    again = subprocess.run(
        ["bash", "-c", command], env={**os.environ, "GATE_KEY_DEFAULT": KEY}, capture_output=True, check=True
    )
    assert re.match(rb"HTTP/1.1 500", again.stdout)


def test_the_same_seed_sends_the_same_requests(serve, context, monkeypatch):
    sent = []
    for seed, ci in ((3, ""), (3, "true"), (4, "")):
        if ci:
            monkeypatch.setenv("CI", ci)
            monkeypatch.setenv("HYPOTHESIS_PROFILE", "ci")
        served = serve()
        fuzzed(context(served, seed=seed))
        sent.append(served.requests)
    assert sent[0] == sent[1]
    assert sent[0] != sent[2]


def test_out_of_budget_is_never_a_pass(serve, context):
    made = context(
        serve(),
        edit=lambda text: text.replace("cases_per_operation = 15", "cases_per_operation = 1500").replace(
            "budget_s = 60.0", "budget_s = 8.0"
        ),
    )
    evidence, found = fuzzed(made)
    assert 0 < evidence.executed < evidence.expected
    assert evidence.ended == "budget"
    assert found["fuzz.schema.cases"].outcome is Outcome.INCONCLUSIVE
    assert not [finding.message for finding in found.values() if finding.outcome is Outcome.FAIL]


def test_a_candidate_that_died_is_a_target_error(serve, context):
    served = serve()
    served.dead = True
    with pytest.raises(TargetError) as caught:
        fuzzed(context(served))
    assert caught.value.logs == "the last words"


def test_a_contract_the_engine_cannot_use_is_an_error(serve, context):
    made = context(serve())
    (made.suite.folder / "openapi.json").write_text(
        '{"openapi": "3.1.0", "paths": {"/a": {"get": {"parameters": 3}}}}'
    )
    _, found = fuzzed(made)
    assert found["fuzz.schema.engine"].outcome is Outcome.ERROR


def linked(made):
    """The context, with a contract in which a prediction links to the health of the service."""
    path = made.suite.folder / "openapi.json"
    document = json.loads(path.read_text())
    operation = document["paths"]["/health"]["get"]["operationId"]
    document["paths"]["/predict"]["post"]["responses"]["200"]["links"] = {
        "Health": {"operationId": operation}
    }
    path.write_text(json.dumps(document))
    return made


def test_links_make_chains_which_are_the_same_for_a_seed(serve, context):
    sent = []
    for _ in range(2):
        served = serve()
        evidence, found = fuzzed(linked(context(served)))
        assert evidence.stateful
        assert not [finding.message for finding in found.values() if finding.outcome is not Outcome.PASS]
        sent.append(served.requests)
    assert sent[0] == sent[1]
    plain = serve()
    fuzzed(context(plain))
    assert len(sent[0]) > len(plain.requests)
    assert sent[0][: len(plain.requests)] == plain.requests
