import pytest
from artifact_layers import artifact, layer_of
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.artifact.settings import ArtifactLimits
from harness.checks.artifact.version_check import ArtifactVersion, Release, VersionEvidence
from harness.model import Outcome

FILES = {"model.onnx": b"weights", "labels.txt": b"a b"}
NEW = {**FILES, "model.onnx": b"new weights"}
NEW_LABELS = {**FILES, "labels.txt": b"b a"}


@pytest.fixture
def check(judged, settings, image):
    """Compares two images; the outcomes of the findings."""

    def run(candidate, reference):
        return judged(ArtifactVersion(), settings(), image(*candidate), image(*reference))

    return run


def outcomes(findings):
    return {name: finding.outcome.value for name, finding in findings.items()}


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        (artifact(FILES), {"model": "pass", "files": "pass"}),
        (artifact(NEW), {"model": "fail", "files": "fail"}),
        (artifact(NEW_LABELS), {"model": "pass", "files": "fail"}),
        (artifact(NEW, version="1.1.0"), {"model": "pass", "files": "pass"}),
        (artifact(FILES, version="1.1.0"), {"model": "warn", "files": "pass"}),
        (artifact(NEW_LABELS, version="1.1.0"), {"model": "warn", "files": "pass"}),
        (artifact({"renamed.onnx": b"weights", "labels.txt": b"a b"}), {"model": "pass", "files": "fail"}),
        (artifact(FILES, thresholds=[0.5]), {"model": "pass", "files": "fail"}),
        (artifact(FILES, thresholds=[0.5], version="1.1.0"), {"model": "warn", "files": "pass"}),
        (artifact(NEW, name="another", version="1.1.0"), {"name": "fail"}),
        (artifact(FILES, version=None), {"model": "fail"}),
        (layer_of(FILES), {"model": "fail"}),
    ],
)
def test_other_bytes_need_another_version(check, candidate, expected):
    assert outcomes(check([candidate], [artifact(FILES)])) == expected


def test_the_bytes_that_lie_there_count_not_those_that_the_manifest_tells_of(check):
    candidate = [artifact(FILES), layer_of({"model.onnx": b"other weights"})]
    assert outcomes(check(candidate, [artifact(FILES)]))["model"] == "fail"


def test_a_reference_without_an_artifact_says_nothing_of_the_candidate(check):
    assert outcomes(check([artifact(FILES)], [layer_of(FILES)])) == {"model": "inconclusive"}


def test_without_a_version_there_is_nothing_to_check(settings):
    assert ArtifactVersion().applies(settings())
    assert not ArtifactVersion().applies(settings(version=None))


RELEASES = st.builds(
    Release,
    name=st.just("m"),
    version=st.sampled_from(["1", "2"]),
    model=st.just("m.onnx"),
    files=st.fixed_dictionaries({"m.onnx": st.sampled_from("ab"), "x": st.sampled_from("cd")}),
)


@given(RELEASES, RELEASES)
def test_it_fails_exactly_if_one_version_has_two_contents(candidate, reference):
    evidence = VersionEvidence(expected=1, executed=1, candidate=candidate, reference=reference)
    findings = ArtifactVersion().judge(evidence, ArtifactLimits())
    fails = any(finding.outcome is Outcome.FAIL for finding in findings)
    assert fails == (candidate.version == reference.version and candidate.files != reference.files)
