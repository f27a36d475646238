"""Answers held against documents."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.contract.fetch import Served
from harness.checks.contract.responses import ContractResponses
from harness.checks.contract.responses_evidence import Exchange, ResponsesEvidence
from harness.checks.contract.settings import ContractLimits, ResponsesSettings
from harness.model import Outcome

CHECK = ContractResponses()
DOCUMENT = {
    "openapi": "3.1.0",
    "paths": {
        "/score": {
            "post": {
                "responses": {
                    "200": {
                        "headers": {"X-Id": {"required": True}, "X-Other": {}},
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Out"}}},
                    },
                    "400": {"content": {"application/problem+json": {"schema": {"required": ["code"]}}}},
                    "429": {},
                }
            }
        }
    },
    "components": {
        "schemas": {
            "Out": {"type": "object", "properties": {"label": {"type": "string"}}, "required": ["label"]}
        }
    },
}
GOOD = Exchange(
    operation="POST /score",
    wanted=200,
    status=200,
    media_type="application/json",
    headers=("x-id", "content-type"),
    body='{"label": "a"}',
    reproduce="curl",
)
REFUSED = GOOD.model_copy(
    update={"wanted": 400, "status": 400, "media_type": "application/problem+json", "body": '{"code": 1}'}
)
LIMITED = GOOD.model_copy(update={"wanted": 429, "status": 429, "media_type": "", "body": ""})
ALL = (GOOD, REFUSED, LIMITED)


def evidence(*exchanges, served=None, unreachable=()):
    declared = {"valid": [{"path": "/score"}], "unreachable": list(unreachable)}
    return ResponsesEvidence(
        expected=len(exchanges),
        executed=len(exchanges),
        frozen=json.dumps(DOCUMENT),
        served=Served(status=200, text=json.dumps(served or DOCUMENT)),
        declared=ResponsesSettings.model_validate(declared),
        exchanges=exchanges,
    )


def judged(*exchanges, **parts):
    findings = CHECK.judge(evidence(*exchanges, **parts), ContractLimits())
    assert all(finding.id.startswith("contract.responses.") for finding in findings)
    return [(finding.id.split(".")[2], finding.outcome.value, finding.message) for finding in findings]


def kinds(*exchanges, **parts):
    return [kind for kind, outcome, _ in judged(*exchanges, **parts) if outcome == "fail"]


def changed(exchange, **parts):
    return exchange.model_copy(update=parts)


def test_answers_as_documented_pass():
    [(kind, outcome, message)] = judged(*ALL)
    assert (kind, outcome) == ("documented", "pass")
    assert message == "3 statuses seen of 1 operations, each answer as documented"


@pytest.mark.parametrize(
    ("exchange", "kind", "text"),
    [
        (changed(GOOD, status=202), "undocumented-status", "202 is documented nowhere"),
        (changed(GOOD, status=500), "undocumented-status", "500 is documented nowhere"),
        (changed(GOOD, media_type="text/plain"), "undocumented-media-type", "documented is application/json"),
        (changed(GOOD, media_type=""), "undocumented-media-type", "200 without a media type"),
        (changed(LIMITED, media_type="text/html", body="slow"), "undocumented-media-type", "is no body"),
        (changed(GOOD, headers=("content-type",)), "header", "200 without the header x-id"),
        (changed(GOOD, body='{"label": 1}'), "body", '1 is not of type "string" at /label'),
        (changed(GOOD, body="{}"), "body", '"label" is a required property at the top'),
        (changed(GOOD, body='{"label": NaN}'), "body", "is not JSON"),
        (changed(GOOD, body='{"label": "a", "label": "b"}'), "body", "a key twice"),
        (changed(GOOD, body="", problem="more than 5 bytes"), "body", "200 with more than 5 bytes"),
        (changed(REFUSED, body="{}"), "body", '"code" is a required property'),
        (
            changed(GOOD, status=None, problem="ReadError: gone"),
            "unanswered",
            "no answer to the request for 200",
        ),
    ],
)
def test_an_answer_that_is_not_as_documented_fails(exchange, kind, text):
    found = judged(*ALL, exchange)
    assert [(each[0], each[1]) for each in found] == [(kind, "fail")]
    assert text in found[0][2]


def test_a_status_that_its_request_did_not_provoke_is_missed():
    found = judged(GOOD, LIMITED, changed(GOOD, wanted=400))
    assert [each[0] for each in found] == ["unseen"]
    assert found[0][2] == "POST /score: documented 400 was never seen, its request was answered 200"


def test_a_status_that_no_request_can_provoke_is_not_missed():
    assert kinds(GOOD, LIMITED, unreachable=[{"statuses": [400], "reason": "r"}]) == []
    elsewhere = [{"statuses": [429], "reason": "r"}]
    assert kinds(GOOD, LIMITED, unreachable=elsewhere) == ["unseen"]


def test_every_media_type_of_a_status_has_to_be_seen():
    both = copy.deepcopy(DOCUMENT)
    both["paths"]["/score"]["post"]["responses"]["200"]["content"]["text/csv"] = {}
    found = evidence(*ALL).model_copy(update={"frozen": json.dumps(both)})
    [missed] = CHECK.judge(found, ContractLimits())
    assert missed.message == "POST /score: documented 200 was never seen as text/csv"
    csv = changed(GOOD, media_type="text/csv; header=present", body="a")
    [passed] = CHECK.judge(found.model_copy(update={"exchanges": (*ALL, csv)}), ContractLimits())
    assert passed.outcome is Outcome.PASS


def test_what_the_candidate_documents_besides_is_an_addition():
    more = copy.deepcopy(DOCUMENT)
    more["paths"]["/score"]["post"]["responses"]["410"] = {"content": {"text/plain": {}}}
    gone = changed(GOOD, status=410, media_type="text/plain", body="gone")
    assert kinds(*ALL, gone, served=more) == []
    assert kinds(*ALL, gone) == ["undocumented-status"]
    more["paths"]["/score"]["post"]["responses"]["200"]["content"]["text/csv"] = {}
    csv = changed(GOOD, media_type="text/csv", body="a")
    assert kinds(*ALL, csv, served=more) == []
    assert kinds(*ALL, csv) == ["undocumented-media-type"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"openapi": "3.1.0", "paths": []}'])
def test_without_a_document_of_its_own_the_frozen_one_is_what_counts(text):
    found = evidence(*ALL).model_copy(update={"served": Served(status=200, text=text)})
    assert [each.outcome for each in CHECK.judge(found, ContractLimits())] == [Outcome.PASS]


def test_each_kind_and_place_is_one_finding_with_an_id_of_its_own():
    wrong = [changed(GOOD, body=json.dumps({"label": number})) for number in range(5)]
    first = CHECK.judge(evidence(*ALL, *wrong, changed(REFUSED, body="{}")), ContractLimits())
    assert len(first) == 2
    second = CHECK.judge(evidence(*ALL, changed(GOOD, body="[]")), ContractLimits())
    assert second[0].id in {finding.id for finding in first}


def test_a_schema_of_the_frozen_document_that_cannot_be_used_is_an_error():
    broken = json.loads(json.dumps(DOCUMENT).replace('"string"', '"strng"'))
    found = evidence(*ALL).model_copy(update={"frozen": json.dumps(broken)})
    assert [each.outcome for each in CHECK.judge(found, ContractLimits())] == [Outcome.ERROR]


@given(
    st.lists(
        st.builds(
            Exchange,
            operation=st.sampled_from(["POST /score", "GET /other"]),
            wanted=st.sampled_from([200, 400, 429]),
            status=st.none() | st.integers(100, 599),
            media_type=st.sampled_from(["", "application/json", "a/b;c", "*/*"]) | st.text(),
            headers=st.lists(st.sampled_from(["x-id"]) | st.text()).map(tuple),
            body=st.text() | st.sampled_from(["{}", '{"label": "a"}', "[" * 2000]),
            problem=st.sampled_from(["", "cut"]),
            reproduce=st.just("curl"),
        )
    )
)
def test_any_answers_are_judged_and_ids_are_distinct(exchanges):
    found = evidence(*exchanges)
    findings = CHECK.judge(found, ContractLimits())
    assert findings == CHECK.judge(
        ResponsesEvidence.model_validate_json(found.model_dump_json()), ContractLimits()
    )
    assert findings
    assert len({finding.id for finding in findings}) == len(findings)
    assert all(finding.message.isprintable() for finding in findings)
