import hashlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import reference_service
from reference_service.app import create_app
from reference_service.model.artifact import ArtifactError, load_artifact
from reference_service.model.inference import Model
from reference_service.pipeline.declaration import Bar, declaration_of, read_declaration
from reference_service.pipeline.metadata import recorded_metadata
from reference_service.settings import Settings

PACKAGE = Path(reference_service.__file__).parent
ROOT = PACKAGE.parent


@pytest.fixture
def folder(tmp_path):
    """A copy of the artifact that a test may damage."""
    return Path(shutil.copytree(PACKAGE / "artifacts" / "breast-cancer", tmp_path / "artifact"))


def change(folder, edit):
    path = folder / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    edit(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def swap_label(manifest):
    expected = manifest["sample"]["expected"]
    expected["label"] = next(name for name in expected["probabilities"] if name != expected["label"])


def drop_feature(manifest):
    dropped = manifest["input"]["features"].pop()
    manifest["input"]["shape"][1] -= 1
    del manifest["sample"]["input"][dropped["name"]]


def add_class(manifest):
    probabilities = manifest["outputs"]["probabilities"]
    probabilities["classes"].append("other")
    probabilities["shape"][1] += 1
    manifest["sample"]["expected"]["probabilities"]["other"] = 0.0


def start(folder):
    return Model(load_artifact(folder), provider="cpu", intra_op_threads=1, observe_run=lambda **_: None)


def test_untouched_artifact_starts(folder):
    assert start(folder).manifest.name


@pytest.mark.parametrize("name", ["model.onnx", "data_audit.json"])
def test_one_changed_byte_is_refused_with_both_digests(folder, name):
    path = folder / name
    content = bytearray(path.read_bytes())
    expected = hashlib.sha256(content).hexdigest()
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArtifactError) as raised:
        load_artifact(folder)
    for part in (name, expected, hashlib.sha256(content).hexdigest()):
        assert part in str(raised.value)


@pytest.mark.parametrize("name", ["model.onnx", "data_audit.json", "manifest.json"])
def test_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match=re.escape(name) if name != "manifest.json" else "manifest"):
        load_artifact(folder)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda manifest: manifest.update(version="1"), "version"),
        (lambda manifest: manifest.update(surprise=1), "surprise"),
        (lambda manifest: manifest["files"].update({"../../etc/passwd": "0" * 64}), "files"),
        (lambda manifest: manifest["files"].pop("model.onnx"), "no checksum"),
        (lambda manifest: manifest["input"].update(dtype="float64"), "dtype"),
        (lambda manifest: manifest["input"].update(shape=["batch", 29]), "29.* 30 differently named"),
        (lambda manifest: manifest["input"]["features"][0].update(name="mean_area"), "29 differently"),
        (lambda manifest: manifest["outputs"]["probabilities"].update(shape=["batch", 3]), "3.* classes"),
        (lambda manifest: manifest.update(created="2026-13-01"), "created"),
        (lambda manifest: manifest.update(created=20261121), "created"),
        (lambda manifest: manifest["input"]["features"][3].update(training_min=1e9), "above training_max"),
        (lambda manifest: manifest["sample"]["expected"]["probabilities"].update(benign=1.5), "benign"),
        (lambda manifest: manifest["sample"]["expected"]["probabilities"].update(benign=-0.5), "benign"),
        (lambda manifest: manifest["sample"]["input"].popitem(), "features"),
        (lambda manifest: manifest["sample"]["expected"].update(label="other"), "classes"),
        (lambda manifest: manifest["sample"]["expected"]["probabilities"].popitem(), "classes"),
    ],
    ids=[
        "version",
        "unknown field",
        "path in files",
        "model without checksum",
        "dtype",
        "input shape",
        "repeated feature",
        "output shape",
        "no date",
        "date as a number",
        "range upside down",
        "probability above one",
        "negative probability",
        "sample without a feature",
        "sample of an unknown class",
        "sample without a class",
    ],
)
def test_manifest_that_breaks_its_schema(folder, edit, message):
    change(folder, edit)
    with pytest.raises(ArtifactError, match=message):
        load_artifact(folder)


@pytest.mark.parametrize(
    "edit",
    [
        swap_label,
        lambda manifest: manifest["sample"]["expected"]["probabilities"].update(benign=0.5),
        lambda manifest: manifest["outputs"]["probabilities"].update(name="scores"),
        lambda manifest: manifest["input"].update(name="x"),
        drop_feature,
        add_class,
    ],
    ids=["label", "probability", "output name", "input name", "feature count", "class count"],
)
def test_model_that_differs_from_its_manifest_does_not_start(folder, edit):
    change(folder, edit)
    with pytest.raises(ArtifactError):
        start(folder)


def test_bytes_that_are_no_model_do_not_start(folder):
    (folder / "model.onnx").write_bytes(b"garbage")
    digest = hashlib.sha256(b"garbage").hexdigest()
    change(folder, lambda manifest: manifest["files"].update({"model.onnx": digest}))
    with pytest.raises(ArtifactError, match="can't be loaded"):
        start(folder)


def test_a_parent_folder_serves_its_only_artifact(folder):
    assert load_artifact(folder.parent).manifest.name
    shutil.copytree(folder, folder.parent / "second")
    with pytest.raises(ArtifactError, match="artifact, second"):
        load_artifact(folder.parent)


def test_process_refuses_to_start_with_one_json_line(folder):
    (folder / "model.onnx").write_bytes(b"garbage")
    finished = subprocess.run(
        [sys.executable, "-m", "reference_service"],
        env={"SERVICE_ARTIFACT": str(folder), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert finished.returncode == 3
    entry = json.loads(finished.stdout)
    assert entry["level"] == "critical"
    assert hashlib.sha256(b"garbage").hexdigest() in entry["message"]
    assert "Traceback" not in finished.stderr


def test_lifespan_refuses_a_wrong_sample(folder, serve):
    change(folder, lambda manifest: manifest["sample"]["expected"]["probabilities"].update(benign=0.5))
    settings = Settings(artifact=folder)
    create_app(settings)  # checksums hold: only the loaded model shows it
    with pytest.raises(ArtifactError, match="sample answered"):
        serve(settings)


@pytest.mark.parametrize(("name", "rows"), [("breast-cancer", "rows"), ("digits", "evaluation_rows")])
def test_golden_set_was_made_with_this_artifact(name, rows):
    golden = ROOT / "golden" / name
    header = tomllib.loads((golden / "golden.toml").read_text(encoding="utf-8"))
    manifest = load_artifact(PACKAGE / "artifacts" / name).manifest
    cases = (golden / header["cases"]["file"]).read_bytes()
    assert header["cases"]["sha256"] == hashlib.sha256(cases).hexdigest()
    assert header["cases"]["count"] == len(cases.splitlines()) == getattr(manifest.dataset, rows)
    assert header["model"]["sha256"] == manifest.files[manifest.model_file]
    assert header["dataset"]["sha256"] == manifest.dataset.sha256
    assert header["producer"]["kind"] == "pipeline"
    assert (golden / "metadata.json").read_text(encoding="utf-8") == recorded_metadata(manifest)


@pytest.mark.parametrize("name", ["breast-cancer", "digits"])
def test_artifact_carries_the_declared_bar_and_clears_it(name):
    declaration = read_declaration(declaration_of(name))
    manifest = load_artifact(PACKAGE / "artifacts" / declaration.model.name).manifest
    assert manifest.version == declaration.model.version
    assert [(c.metric, c.limit) for c in manifest.acceptance] == [
        (bar.metric, bar.limit) for bar in declaration.acceptance
    ]
    for bar, criterion in zip(declaration.acceptance, manifest.acceptance, strict=True):
        assert bar.met_by(criterion.observed)


@pytest.mark.parametrize(
    ("comparison", "met", "missed"), [("at_least", (0.5, 0.6), (0.49,)), ("at_most", (0.5, 0.4), (0.51,))]
)
def test_bar(comparison, met, missed):
    bar = Bar(metric="m", comparison=comparison, limit=0.5)
    assert all(bar.met_by(value) for value in met)
    assert not any(bar.met_by(value) for value in missed)


def test_image_labels_default_to_what_is_in_the_image():
    dockerfile = (PACKAGE / "Dockerfile").read_text(encoding="utf-8")
    arguments = dict(re.findall(r"^ARG (\w+)=(\S+)$", dockerfile, re.MULTILINE))
    manifest = load_artifact(PACKAGE / "artifacts" / arguments["ARTIFACT"]).manifest
    assert arguments["MODEL_NAME"] == manifest.name
    assert arguments["MODEL_VERSION"] == manifest.version
    assert arguments["SERVICE_VERSION"] == reference_service.__version__


def test_serving_needs_nothing_of_the_pipeline():
    code = (
        "import sys, reference_service.app, reference_service.__main__;"
        "unwanted = {'sklearn', 'onnx', 'skl2onnx', 'torch', 'harness'};"
        "print([name for name in sys.modules if name.split('.')[0] in unwanted or 'pipeline' in name])"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    assert finished.stdout.strip() == "[]"
