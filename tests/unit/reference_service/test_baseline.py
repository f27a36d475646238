"""The baseline of drift: bins that cover every value once, and a file that is held against its manifest."""

import hashlib
import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import reference_service
from reference_service.model.artifact import ArtifactError, load_artifact
from reference_service.pipeline.baseline import baseline_of
from reference_service.telemetry.baseline import FeatureBaseline, count_bins

ARTIFACT = Path(reference_service.__file__).parent / "artifacts" / "breast-cancer"
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(FLOATS, min_size=1, max_size=50))
def test_every_row_is_in_one_bin(values):
    observed = np.array(values, dtype=np.float32)[:, None]
    baseline = baseline_of(["x"], observed, np.array(["a"] * len(values)), ["a", "b"])
    feature = baseline.features[0]
    assert sum(feature.counts) == baseline.rows == len(values)
    assert baseline.predictions == {"a": len(values), "b": 0}
    assert set(feature.edges) <= set(observed[:, 0].tolist())


@given(st.lists(FLOATS, min_size=1, max_size=9, unique=True), st.lists(FLOATS, min_size=1))
def test_a_bin_begins_at_its_edge(edges, values):
    edges = sorted(edges)
    bounds = [-np.inf, *edges, np.inf]
    expected = [sum(low <= value < high for value in values) for low, high in pairwise(bounds)]
    assert count_bins(values, edges).tolist() == expected


def test_deciles_hold_a_tenth_each():
    observed = np.arange(100, dtype=np.float32)[:, None]
    feature = baseline_of(["x"], observed, np.array(["a"] * 100), ["a"]).features[0]
    assert len(feature.counts) == 10
    assert max(feature.counts) - min(feature.counts) <= 2


@pytest.mark.parametrize(
    ("edges", "counts"), [((1, 1), (0, 0, 1)), ((2, 1), (0, 0, 1)), ((1,), (1,)), ((), (1,)), ((1,), (2, -1))]
)
def test_bins_that_are_none(edges, counts):
    with pytest.raises(ValidationError):
        FeatureBaseline(name="x", edges=edges, counts=counts)


@pytest.fixture
def damaged(tmp_path):
    """Loads a copy of the artifact with a changed baseline, whose checksum is right."""

    def load(edit):
        folder = shutil.copytree(ARTIFACT, tmp_path / "artifact")
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        path = folder / manifest["baseline_file"]
        baseline = json.loads(path.read_text(encoding="utf-8"))
        edit(baseline)
        content = json.dumps(baseline).encode()
        path.write_bytes(content)
        manifest["files"][path.name] = hashlib.sha256(content).hexdigest()
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        return load_artifact(folder)

    return load


def test_the_shipped_baseline_is_of_the_training_rows(damaged):
    artifact = damaged(lambda _baseline: None)
    assert artifact.baseline.rows == artifact.manifest.dataset.training_rows
    assert artifact.baseline.predictions.keys() == set(artifact.manifest.outputs.probabilities.classes)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda baseline: baseline.update(rows=1), "add up"),
        (lambda baseline: baseline["features"].pop(), "features are not those"),
        (lambda baseline: baseline["features"].reverse(), "features are not those"),
        (lambda baseline: baseline["predictions"].update(other=0), "classes"),
        (lambda baseline: baseline["predictions"].popitem(), "add up"),
        (lambda baseline: baseline.update(surprise=1), "surprise"),
    ],
    ids=["rows", "one less", "another order", "class more", "class less", "unknown field"],
)
def test_a_baseline_of_something_else_is_refused(damaged, edit, message):
    with pytest.raises(ArtifactError, match=rf"baseline\.json: .*{message}"):
        damaged(edit)
