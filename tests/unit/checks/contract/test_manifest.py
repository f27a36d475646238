"""``contract.manifest``: a manifest, a document and answers that agree, and how they may not."""

import json

import pytest

from harness.checks.contract.fetch import Served
from harness.checks.contract.manifest import ContractManifest
from harness.checks.contract.manifest_evidence import Asked, ManifestEvidence, Predicted
from harness.checks.contract.settings import ContractLimits, ManifestSettings
from harness.config.service import MetadataSettings
from harness.model import Outcome

CHECK = ContractManifest()
MANIFEST = {
    "name": "m",
    "version": "1.0.0",
    "in": {"name": "row", "dtype": "float32", "shape": ["batch", 2]},
    "out": {"name": "p", "dtype": "float32", "shape": ["batch", 2], "classes": ["a", "b"]},
}
P = {"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}}
VERSION = {
    "model": {"type": "object", "properties": {"version": {"type": "string"}}, "required": ["version"]}
}


def media(schema):
    return {"content": {"application/json": {"schema": schema}}}


DOCUMENT = {
    "openapi": "3.1.0",
    "paths": {
        "/one": {
            "post": {
                "requestBody": media(
                    {
                        "type": "object",
                        "properties": {
                            "row": {
                                "type": "array",
                                "items": {"type": "number"},
                                "minItems": 2,
                                "maxItems": 2,
                            }
                        },
                    }
                ),
                "responses": {"200": media({"type": "object", "properties": {"p": P, **VERSION}})},
            }
        },
        "/many": {
            "post": {
                "responses": {
                    "200": media(
                        {
                            "type": "object",
                            "properties": {
                                "items": {
                                    "type": "array",
                                    "items": {"type": "object", "properties": {"p": P}},
                                },
                                **VERSION,
                            },
                        }
                    )
                }
            }
        },
    },
}
DECLARED = ManifestSettings.model_validate(
    {
        "single": "/model/version",
        "batch": "/model/version",
        "inputs": {
            "row": {"pointer": "/row", "name": "/in/name", "dtype": "/in/dtype", "shape": "/in/shape"}
        },
        "outputs": {
            "p": {
                "pointer": "/p",
                "name": "/out/name",
                "dtype": "/out/dtype",
                "shape": "/out/shape",
                "keys": "/out/classes",
            }
        },
    }
)
ANSWER = Predicted(asked="row-0", version="1.0.0", items=({"p": {"a": 0.5, "b": 0.5}},), reproduce="curl")


def evidence(manifest=MANIFEST, document=DOCUMENT, single=ANSWER, batch=ANSWER, sent=None):
    return ManifestEvidence(
        expected=2,
        executed=2,
        frozen=json.dumps(document),
        manifest=Served(status=200, text=json.dumps(manifest)),
        metadata=MetadataSettings(path="/model", name="/name", version="/version"),
        declared=DECLARED,
        single=Asked(method="POST", path="/one", items=None, version="/model/version", answers=(single,)),
        batch=Asked(method="POST", path="/many", items="/items", version="/model/version", answers=(batch,)),
        sent={"row-0": {"row": [1, 2]} if sent is None else sent},
        reproduce="curl",
    )


def failed(found):
    findings = CHECK.judge(found, ContractLimits())
    assert len({finding.id for finding in findings}) == len(findings)
    assert all(finding.message for finding in findings)
    loaded = ManifestEvidence.model_validate_json(found.model_dump_json())
    assert CHECK.judge(loaded, ContractLimits()) == findings
    return {
        finding.id.removeprefix("contract.manifest."): finding.message
        for finding in findings
        if finding.outcome is Outcome.FAIL
    }


def test_what_agrees_passes():
    assert failed(evidence()) == {}
    assert len(CHECK.judge(evidence(), ContractLimits())) == 1 + 2 * 2 + 2 * 3


CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


def told(provider, nodes, **pointers):
    metadata = MetadataSettings.model_validate(
        {
            "path": "/model",
            "name": "/name",
            "version": "/version",
            "execution_provider": "/provider",
            "nodes_by_provider": "/nodes",
        }
        | pointers
    )
    found = evidence(manifest=MANIFEST | {"provider": provider, "nodes": nodes})
    return found.model_copy(update={"metadata": metadata})


@pytest.mark.parametrize(
    ("provider", "nodes", "wrong"),
    [
        (CPU, {CPU: 3}, False),
        (CUDA, {CUDA: 2, CPU: 1}, False),
        ("cuda", {CUDA: 2}, False),
        (CUDA, {CPU: 3}, True),
        (CUDA, {CUDA: 0, CPU: 3}, True),
        (CPU, {CUDA: 3}, True),
    ],
)
def test_a_provider_that_ran_no_node_of_the_model_is_found_out(provider, nodes, wrong):
    found = failed(told(provider, nodes))
    assert set(found) == ({"provider"} if wrong else set())
    assert not wrong or provider in found["provider"]


@pytest.mark.parametrize(
    "silent",
    [
        told(CUDA, {CPU: 3}, nodes_by_provider=None),
        told(CUDA, {CPU: 3}, execution_provider=None),
        told(CUDA, {CPU: 3}, nodes_by_provider="/nothing"),
        told(CUDA, None),
        told(CUDA, {}),
        told(None, {CPU: 3}),
        told(CUDA, {CPU: "3"}),
    ],
)
def test_a_service_that_does_not_tell_what_runs_its_model_is_not_judged_by_it(silent):
    assert failed(silent) == {}
    assert not any(each.id.endswith(".provider") for each in CHECK.judge(silent, ContractLimits()))


def edited(document, edit):
    document = json.loads(json.dumps(document))
    edit(document)
    return document


def without(name):
    return ANSWER.model_copy(update={"items": ({name: 1},)})


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"manifest": MANIFEST | {"version": "1.0.1"}}, {"version.single", "version.batch"}),
        ({"manifest": MANIFEST | {"version": 1}}, {"model", "version.single", "version.batch"}),
        ({"manifest": MANIFEST | {"name": ""}}, {"model"}),
        ({"single": ANSWER.model_copy(update={"version": None})}, {"version.single"}),
        ({"batch": ANSWER.model_copy(update={"version": "0.9"})}, {"version.batch"}),
        ({"batch": Predicted(asked="b", problem="HTTP 500", reproduce="")}, {"version.batch"}),
        ({"single": without("q")}, {"outputs.p.served"}),
        ({"sent": {"row": [1, 2, 3]}}, {"inputs.row.served"}),
        ({"sent": {}}, {"inputs.row.served"}),
        (
            {"manifest": edited(MANIFEST, lambda m: m["in"].update(shape=["batch", 3]))},
            {"inputs.row.document", "inputs.row.served"},
        ),
        (
            {"manifest": edited(MANIFEST, lambda m: m["in"].update(dtype="int64"))},
            {"inputs.row.document"},
        ),
        (
            {"manifest": edited(MANIFEST, lambda m: m["out"].update(classes=["a", "c"]))},
            {"outputs.p.document", "outputs.p.served"},
        ),
        ({"manifest": edited(MANIFEST, lambda m: m.pop("out"))}, {"outputs.p.manifest"}),
        (
            {"document": edited(DOCUMENT, lambda d: d["paths"].pop("/many"))},
            {"version.batch.document", "outputs.p.document"},
        ),
        (
            {
                "document": edited(
                    DOCUMENT,
                    lambda d: d["paths"]["/one"]["post"]["responses"]["200"]["content"]["application/json"][
                        "schema"
                    ]["properties"]["model"].pop("required"),
                )
            },
            {"version.single.document"},
        ),
    ],
)
def test_what_differs_fails_for_that(parts, expected):
    assert set(failed(evidence(**parts))) == expected


@pytest.mark.parametrize(
    "served", [Served(status=404, problem="HTTP 404, expected 200"), Served(status=200, text="<")]
)
def test_without_a_manifest(served):
    assert set(failed(evidence().model_copy(update={"manifest": served}))) == {"served"}


def test_a_document_that_cannot_be_read_is_an_error():
    [finding] = CHECK.judge(evidence(document={"openapi": "1"}), ContractLimits())
    assert finding.outcome is Outcome.ERROR


@pytest.mark.parametrize("form", ["AAAA", {"base64": "AAAA"}])
def test_an_encoded_input_is_not_compared_and_is_told(form):
    seen = evidence(sent={"row": form})
    assert failed(seen) == {}
    found = {finding.id: finding.outcome for finding in CHECK.judge(seen, ContractLimits())}
    assert found["contract.manifest.inputs.row.served"] is Outcome.NOT_APPLICABLE
