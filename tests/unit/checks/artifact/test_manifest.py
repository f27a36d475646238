import json

import pytest
from artifact_layers import artifact, layer_of, sha256
from hypothesis import given
from hypothesis import strategies as st
from image_archives import link
from pydantic import ValidationError

from harness.checks.artifact.folder import plain
from harness.checks.artifact.manifest_check import ArtifactManifest, ManifestEvidence
from harness.checks.artifact.settings import ArtifactLimits
from harness.errors import ConfigError
from harness.model import Outcome

FILES = {"model.onnx": b"weights", "labels.txt": b"a b"}
SCHEMA = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}


def failed(findings):
    return {name for name, finding in findings.items() if finding.outcome is not Outcome.PASS}


@pytest.fixture
def check(judged, settings, image, tmp_path):
    """Gates an image of layers."""
    (tmp_path / "schema.json").write_text(json.dumps(SCHEMA))

    def run(*layers, compress=False, **changes):
        declared = settings(**{"manifest_schema": "schema.json", **changes})
        return judged(ArtifactManifest(), declared, image(*layers, compress=compress))

    return run


@pytest.mark.parametrize("compress", [False, True])
def test_files_as_listed_pass(check, compress):
    findings = check(artifact(FILES), compress=compress)
    assert findings.keys() == {"schema", "files", "unlisted"}
    assert failed(findings) == set()


def test_without_a_schema_none_is_checked_and_that_is_told(check, settings):
    assert check(artifact(FILES), manifest_schema=None).keys() == {"files", "unlisted"}
    assert settings().not_declared() == ("artifact.manifest: its JSON Schema",)


@pytest.mark.parametrize(
    ("layers", "wrong", "told"),
    [
        ([artifact(FILES, name=None)], "schema", "name"),
        ([artifact(FILES, name=7)], "schema", "/name"),
        ([artifact(FILES), layer_of({"labels.txt": b"b a"})], "files", "labels.txt: SHA-256 is"),
        ([artifact(FILES), layer_of({".wh.labels.txt": b""})], "files", "labels.txt is missing"),
        ([artifact(FILES), [link("srv/model/labels.txt", "/etc/passwd")]], "files", "a symbolic link"),
        (
            [artifact(FILES), [link("srv/model/labels.txt", "srv/model/model.onnx", hard=True)]],
            "files",
            "a hard",
        ),
        ([artifact(FILES), layer_of({"extra.bin": b""})], "unlisted", "extra.bin"),
        ([artifact(FILES), [link("srv/model/extra", "/etc")]], "unlisted", "extra (a symbolic link)"),
        ([artifact(FILES, files={"../x": sha256(b"")})], "files", "'../x' is no path inside"),
        ([artifact(FILES, files={"/etc/passwd": sha256(b"")})], "files", "'/etc/passwd' is no path inside"),
        ([artifact(FILES, files={"model.onnx": "abc"})], "files", "'model.onnx' has no SHA-256"),
        ([artifact(FILES, files={})], "files", "lists no files"),
        ([artifact(FILES, files=["model.onnx"])], "files", "lists no files"),
        ([layer_of(FILES)], "files", "there is no /srv/model/manifest.json"),
        ([layer_of({"manifest.json": b"{"})], "files", "not JSON"),
        ([layer_of({"manifest.json": b"[" * 100_000})], "files", "not JSON"),
        ([layer_of({"manifest.json": b'{"a": NaN}'})], "files", "no JSON number"),
        ([layer_of({"manifest.json": b'{"a": 1, "a": 2}'})], "files", "two members"),
        ([layer_of({"manifest.json": b"[]"})], "files", "not a JSON object"),
        ([layer_of({"manifest.json": b" " * 5_000_000})], "files", "more than"),
        ([[link("srv/model/manifest.json", "/etc/passwd")]], "files", "is a symbolic link"),
        ([[("srv", None, 0o755)]], "files", "there is no /srv/model in the image"),
        ([artifact(FILES), [(".wh.srv", b"", 0o644)]], "files", "there is no /srv/model in the image"),
        ([artifact(FILES), [("srv/model/.wh..wh..opq", b"", 0o644)]], "files", "there is no /srv/model"),
        ([artifact(FILES), [link("srv", "/opt")]], "files", "/srv is no folder"),
        ([artifact(FILES), layer_of({"big.bin": b"x" * 2_000_000})], "files", "more than largest_mib = 1"),
    ],
)
def test_each_fault_is_told_by_its_finding(check, layers, wrong, told):
    findings = check(*layers, largest_mib=1 if "largest_mib" in told else 64)
    assert wrong in failed(findings)
    assert told in findings[wrong].message
    assert failed(findings) <= {wrong, "unlisted"}


def test_the_last_layer_is_what_counts(check):
    lower = artifact({**FILES, "old.txt": b"x"})
    upper = [
        *artifact(FILES),
        ("srv/model/.wh.old.txt", b"", 0o644),
        ("srv/model/.wh.labels.txt", b"", 0o644),
    ]
    assert failed(check(lower, upper)) == set()


def test_what_is_allowed_beside_passes(check):
    layers = [artifact(FILES), layer_of({"readme.md": b""})]
    assert failed(check(*layers, limits={"unlisted": ["readme.md"]})) == set()


def test_files_may_lie_in_folders_and_digests_may_be_written_otherwise(check):
    files = {"model.onnx": b"w", "parts/one.bin": b"x"}
    digests = {name: f"sha256:{sha256(content).upper()}" for name, content in files.items()}
    assert failed(check(artifact(files, files=digests))) == set()


@pytest.mark.parametrize(
    ("schema", "problem"), [("none.json", "no such file"), ("broken.json", "no JSON Schema")]
)
def test_a_schema_that_is_none_is_a_mistake_of_the_suite(check, tmp_path, schema, problem):
    (tmp_path / "broken.json").write_text('{"type": 7}')
    with pytest.raises(ConfigError, match=problem):
        check(artifact(FILES), manifest_schema=schema)


@pytest.mark.parametrize("changes", [{"folder": "srv"}, {"folder": "/srv/../etc"}, {"manifest": "a/b"}])
def test_paths_of_the_suite_are_plain(settings, changes):
    with pytest.raises(ValidationError):
        settings(**changes)


@given(st.text())
def test_a_plain_path_stays_below(name):
    if plain(name):
        assert not name.startswith("/")
        assert ".." not in name.split("/")


DIGESTS = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2"]))


@given(DIGESTS, DIGESTS)
def test_it_passes_exactly_if_both_are_the_same(listed, found):
    evidence = ManifestEvidence(expected=1, executed=1, manifest="m", listed=listed, found=found)
    findings = ArtifactManifest().judge(evidence, ArtifactLimits())
    assert all(finding.outcome is Outcome.PASS for finding in findings) == (listed == found)
