import onnx
import pytest
from artifact_layers import artifact, layer_of
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from harness.checks.artifact import model_check
from harness.checks.artifact.model_check import ArtifactModel, ModelEvidence
from harness.checks.artifact.onnx_facts import OnnxFacts
from harness.checks.artifact.settings import ArtifactLimits
from harness.model import Outcome

TENSOR = {"name": "/input/name", "dtype": "/input/dtype", "shape": "/input/shape"}
ONNX = {"inputs": [TENSOR], "outputs": [{"name": "/output"}]}
INPUT = {"name": "x", "dtype": "float32", "shape": ["batch", 2]}
TOLD = {"input": INPUT, "output": "y"}


def model(
    *,
    name="x",
    dtype=TensorProto.FLOAT,
    shape=("n", 2),
    operator="Abs",
    domain="",
    opset=17,
    external=None,
    **more,
):
    """A graph of one operator."""
    inputs = [helper.make_tensor_value_info(name, dtype, shape)]
    nodes = [helper.make_node(operator, [name], ["y"], domain=domain)]
    weights = []
    if external is not None:
        weights = [helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])]
        weights[0].ClearField("float_data")
        weights[0].data_location = TensorProto.EXTERNAL
        weights[0].external_data.add(key="location", value=external)
    outputs = [helper.make_tensor_value_info("y", dtype, shape)]
    graph = helper.make_graph(nodes, "g", inputs, outputs, weights)
    opsets = [helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, **more).SerializeToString()


@pytest.fixture
def check(judged, settings, image):
    """Looks at a model."""

    def run(content, *layers, files=None, limits=None, onnx=ONNX, told=TOLD):
        declared = settings(onnx=onnx, limits=limits or {})
        files = {"model.onnx": content, **(files or {})}
        return judged(ArtifactModel(), declared, image(artifact(files, **told), *layers))

    return run


def failed(findings):
    return {name for name, finding in findings.items() if finding.outcome is not Outcome.PASS}


def test_a_model_as_the_manifest_says_passes(check):
    findings = check(model())
    assert findings.keys() == {"checker", "opset", "domains", "inputs", "outputs", "external"}
    assert failed(findings) == set()


def test_what_is_not_declared_is_not_compared_and_is_told(check, settings):
    assert check(model(), onnx={}).keys() == {"checker", "opset", "domains", "external"}
    aspects = settings(onnx={}, manifest_schema="x").not_declared()
    assert aspects == (
        "artifact.model: the opset that the manifest tells",
        "artifact.model: inputs",
        "artifact.model: outputs",
    )


@pytest.mark.parametrize(
    ("content", "wrong", "told"),
    [
        (model(name="z"), "inputs", "the graph has no 'x'; the manifest does not tell of 'z'"),
        (model(dtype=TensorProto.DOUBLE), "inputs", "the graph has double, the manifest float32"),
        (model(shape=("n", 3)), "inputs", "the graph has [any, 3], the manifest [any, 2]"),
        (model(shape=(1, 2)), "inputs", "the graph has [1, 2]"),
        (model(shape=("n", 2, 1)), "inputs", "the graph has [any, 2, 1]"),
        (model(shape=None), "inputs", "the graph has no shape"),
        (model(opset=12), "opset", "ai.onnx 12 is older than 13"),
        (model(opset=19), "opset", "ai.onnx 19 is newer than 18"),
        (model(operator="Foo", domain="org.example"), "domains", "'org.example'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "model",
)
def test_each_fault_is_told_by_its_finding(check, content, wrong, told):
    findings = check(content, limits={"opsets": {"ai.onnx": {"least": 13, "most": 18}}})
    assert wrong in failed(findings)
    assert told in findings[wrong].message
    assert failed(findings) - {"checker"} <= {wrong}


def test_the_opset_of_the_manifest_is_that_of_the_graph(check):
    onnx = {**ONNX, "opset": "/opset"}
    assert failed(check(model(), onnx=onnx, told={**TOLD, "opset": 17})) == set()
    assert failed(check(model(), onnx=onnx, told={**TOLD, "opset": 18})) == {"opset"}
    assert failed(check(model(), onnx=onnx)) == {"opset"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (model(operator="NoSuchOperator"), "No Op registered for NoSuchOperator"),
        (b"no model", "the ONNX checker ended with exit code 1 on it"),
        (b"", "model does not have"),
    ],
    ids=["operator", "garbage", "empty"],
)
def test_what_the_checker_refuses_fails(check, content, told):
    finding = check(content)["checker"]
    assert finding.outcome is Outcome.FAIL
    assert told in finding.message


@pytest.mark.parametrize("dtype", ["float", "FLOAT", "float32", "tensor(float)"])
def test_a_type_may_have_the_name_of_numpy_or_of_onnx(check, dtype):
    assert failed(check(model(), told={**TOLD, "input": {**INPUT, "dtype": dtype}})) == set()


@pytest.mark.parametrize("changes", [{"name": None}, {"dtype": 7}, {"shape": "batch x 2"}])
def test_a_manifest_that_does_not_tell_what_is_asked_fails(check, changes):
    findings = check(model(), told={**TOLD, "input": {**INPUT, **changes}})
    (name,) = changes
    assert f"the manifest says nothing at /input/{name}" in findings["inputs"].message


def test_an_operator_set_that_is_declared_may_be_foreign(check):
    opsets = {"ai.onnx": {}, "org.example": {"least": 1}}
    assert failed(check(model(operator="Foo", domain="org.example"), limits={"opsets": opsets})) == set()


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/passwd", "weights.bin"])
def test_a_part_of_the_model_that_is_not_listed_fails(check, location):
    assert "external" in failed(check(model(external=location)))


def test_a_part_of_the_model_that_is_listed_passes(check):
    findings = check(model(external="weights.bin"), files={"weights.bin": b"\0\0\0\0"})
    assert failed(findings) == set()


def test_a_model_that_is_not_there_fails(check):
    assert check(model(), layer_of({".wh.model.onnx": b""}))["checker"].outcome is Outcome.FAIL
    assert check(model(), told={"model": "../model.onnx"})["checker"].outcome is Outcome.FAIL


def test_producer_and_metadata_are_of_no_concern(check):
    content = model(producer_name="another", doc_string="x")
    changed = onnx.load_from_string(content)
    changed.metadata_props.add(key="trained", value="today")
    assert failed(check(changed.SerializeToString())) == set()


def test_a_checker_that_is_not_done_in_time_says_nothing_of_the_model(check):
    assert check(model(), onnx={**ONNX, "timeout_s": 0.01})["checker"].outcome is Outcome.INCONCLUSIVE


def test_a_checker_that_is_out_of_memory_rejects_the_model(check, monkeypatch):
    monkeypatch.setattr(model_check, "GIB", 50_000_000)
    finding = check(model())["checker"]
    assert finding.outcome is Outcome.FAIL
    assert "the ONNX checker ended with" in finding.message


NAMES = st.lists(st.sampled_from(["ai.onnx", "ai.onnx.ml", "org.example"]), min_size=1, unique=True)


@given(NAMES, st.integers(1, 30))
def test_only_declared_operator_sets_in_their_range_pass(domains, version):
    facts = OnnxFacts(
        refused="",
        opsets=tuple((domain, version) for domain in domains),
        domains=(),
        inputs=(),
        outputs=(),
        external=(),
    )
    limits = ArtifactLimits.model_validate(
        {"opsets": {"ai.onnx": {"least": 7, "most": 21}, "ai.onnx.ml": {}}}
    )
    findings = ArtifactModel().judge(ModelEvidence(expected=1, executed=1, facts=facts), limits)
    good = "org.example" not in domains and ("ai.onnx" not in domains or 7 <= version <= 21)
    assert all(finding.outcome is Outcome.PASS for finding in findings) == good


@pytest.mark.parametrize(
    "name", ["onnx.py", "harness/__init__.py", "pydantic/__init__.py", "sitecustomize.py"]
)
def test_nothing_of_the_artifact_is_imported(check, tmp_path, name):
    came = tmp_path / "imported"
    code = f"open({str(came)!r}, 'w').close()\nraise SystemExit(0)\n".encode()
    findings = check(b"no model", files={name: code})
    assert findings["checker"].outcome is Outcome.FAIL
    assert not came.exists()


def test_more_operator_sets_than_are_looked_at_fail(check):
    many = onnx.ModelProto.FromString(model())
    many.opset_import.extend([helper.make_opsetid("", 17)] * 1000 + [helper.make_opsetid("hidden", 1)])
    finding = check(many.SerializeToString())["checker"]
    assert finding.outcome is Outcome.FAIL
    assert "1002 operator sets" in finding.message


def test_a_path_that_is_a_file_and_a_folder_in_one_layer_fails(check):
    files = {"data": b"x", "data/more": b"y"}
    finding = check(model(), files=files)["checker"]
    assert finding.outcome is Outcome.FAIL
    assert "data/more lies below a file" in finding.message
