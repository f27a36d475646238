"""The release record: what it says of an image, what it refuses, and what it leaves behind."""

import hashlib
import importlib.util
import io
import json
import sys
import tarfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

import reference_service

PACKAGE = Path(reference_service.__file__).parent
ARTIFACT = PACKAGE / "artifacts" / "breast-cancer"
IMAGE_ID = "sha256:" + "4f" * 32
DIGEST = "registry.test/service@sha256:" + "ab" * 32
LABELS = {
    "org.opencontainers.image.version": "1.2.3",
    "model.name": "breast-cancer",
    "model.version": "1.0.0",
}


_spec = importlib.util.spec_from_file_location(
    "release_record", PACKAGE.parent / "scripts" / "release_record.py"
)
release = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(release)


class Engine:
    """An engine with one image; remembers which containers it still has."""

    def __init__(self, files, *, labels=LABELS, env=("SERVICE_ARTIFACT=/opt/artifact",), digests=None):
        self.files = files
        self.failure = None
        self.left = set()
        self.closed = False
        self.image = SimpleNamespace(
            id=IMAGE_ID,
            labels=labels,
            attrs={
                "RepoDigests": digests,
                "Created": "2026-11-21T22:40:17.123456789Z",
                "Size": 123_456,
                "Config": {"Env": list(env)},
            },
        )
        self.images = SimpleNamespace(get=self.get)
        self.containers = SimpleNamespace(create=self.create)
        self.api = SimpleNamespace(remove_container=self.remove)

    def get(self, name):
        if name != "service:1":
            raise ImageNotFound("no such image")
        return self.image

    def create(self, image, *, name, **_options):
        assert image == IMAGE_ID
        self.left.add(name)
        return SimpleNamespace(get_archive=self.archive)

    def archive(self, folder):
        if self.failure:
            raise self.failure
        if folder != "/opt/artifact":
            raise NotFound("no such folder")
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            root = tarfile.TarInfo("artifact")
            root.type = tarfile.DIRTYPE
            archive.addfile(root)
            for name, content in self.files.items():
                entry = tarfile.TarInfo(f"artifact/{name}")
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        data = packed.getvalue()
        return (data[at : at + 4096] for at in range(0, len(data), 4096)), {}

    def remove(self, name, **_options):
        if name not in self.left:
            raise NotFound("no such container")
        self.left.remove(name)

    def close(self):
        self.closed = True


@pytest.fixture
def files():
    """The files of the artifact inside the image, by name."""
    return {path.name: path.read_bytes() for path in ARTIFACT.iterdir()}


@pytest.fixture
def report(tmp_path):
    """Writes a gate's report; gives its path."""

    def write(**changes):
        content = {
            "run_id": "20261121T224017Z-4f4f4f4f4f4f-7c1e9a",
            "decision": "promote",
            "partial": False,
            "candidate": {"kind": "container", "image_id": IMAGE_ID},
            "checks": [],
        }
        path = tmp_path / "report.json"
        path.write_text(json.dumps(content | changes))
        return path

    return write


def test_record_says_what_is_in_the_image(files, report):
    engine = Engine(files)
    path = report()
    record = release.record_of(engine, "service:1", path).model_dump()
    assert record == {
        "schema_version": 1,
        "image": "service:1",
        "image_id": IMAGE_ID,
        "repo_digest": None,
        "created": "2026-11-21T22:40:17.123456789Z",
        "size_bytes": 123_456,
        "service_version": "1.2.3",
        "model": {
            "name": "breast-cancer",
            "version": "1.0.0",
            "sha256": hashlib.sha256(files["model.onnx"]).hexdigest(),
        },
        "manifest_sha256": hashlib.sha256(files["manifest.json"]).hexdigest(),
        "gate": {
            "run_id": "20261121T224017Z-4f4f4f4f4f4f-7c1e9a",
            "decision": "promote",
            "report_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        },
    }
    assert not engine.left


def test_a_partial_verdict_is_no_release_s(files, report):
    with pytest.raises(release.ReleaseError, match="partial"):
        release.record_of(Engine(files), "service:1", report(partial=True))


def test_image_that_was_pushed_has_its_digest_and_no_report_is_no_verdict(files):
    record = release.record_of(Engine(files, digests=[DIGEST]), "service:1")
    assert record.repo_digest == DIGEST
    assert record.gate is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.onnx", b"other", "SHA-256"),
        ("model.onnx", None, "no file artifact/model.onnx"),
        ("manifest.json", None, "no file artifact/manifest.json"),
        ("manifest.json", b"{}", "manifest.json inside"),
    ],
)
def test_files_that_contradict_the_manifest_are_refused(files, name, content, message):
    del files[name]
    if content is not None:
        files[name] = content
    engine = Engine(files)
    with pytest.raises(release.ReleaseError, match=message):
        release.record_of(engine, "service:1")
    assert not engine.left


@pytest.mark.parametrize(
    ("label", "value", "message"),
    [
        ("model.version", "1.0.1", "1.0.1"),
        ("model.name", None, "its labels say"),
        ("org.opencontainers.image.version", None, "service_version"),
        ("org.opencontainers.image.version", "latest", "service_version"),
    ],
)
def test_labels_that_contradict_the_manifest_or_are_missing_are_refused(files, label, value, message):
    labels = {name: text for name, text in (LABELS | {label: value}).items() if text is not None}
    with pytest.raises(release.ReleaseError, match=message):
        release.record_of(Engine(files, labels=labels), "service:1")


@pytest.mark.parametrize("env", [(), ("SERVICE_ARTIFACT=",), ("SERVICE_ARTIFACT=/elsewhere",)])
def test_image_without_an_artifact_is_refused(files, env):
    engine = Engine(files, env=env)
    with pytest.raises(release.ReleaseError, match=r"artifact|/elsewhere"):
        release.record_of(engine, "service:1")
    assert not engine.left


@pytest.mark.parametrize(
    "changes",
    [
        {"candidate": {"image_id": "sha256:" + "00" * 32}},
        {"candidate": {"kind": "process"}},
        {"decision": "approved"},
        {"run_id": None},
    ],
    ids=["another image", "no image", "unknown decision", "no run"],
)
def test_report_of_something_else_is_refused(files, report, changes):
    with pytest.raises(release.ReleaseError, match=r"report\.json: "):
        release.record_of(Engine(files), "service:1", report(**changes))


@pytest.mark.parametrize("failure", [APIError("engine failed"), KeyboardInterrupt(), SystemExit(143)])
def test_container_is_removed_whatever_happens(files, failure):
    engine = Engine(files)
    engine.failure = failure
    with pytest.raises(type(failure)):
        release.record_of(engine, "service:1")
    assert not engine.left


def test_record_that_cannot_be_put_in_place_leaves_nothing(files, tmp_path):
    record = release.record_of(Engine(files), "service:1")
    target = tmp_path / "record.json"
    target.mkdir()
    with pytest.raises(OSError, match=r"record\.json"):
        release.write_whole(target, record)
    assert list(tmp_path.iterdir()) == [target]


@pytest.fixture
def command(monkeypatch, tmp_path):
    """Runs the command line on an engine; gives its exit code and the record, if it wrote one."""

    def run(engine, *arguments, image="service:1"):
        out = tmp_path / "dist" / "record.json"
        monkeypatch.setattr(sys, "argv", ["release_record", image, "--out", str(out), *map(str, arguments)])
        monkeypatch.setattr(release.signal, "signal", lambda *_: None)

        def from_env():
            if isinstance(engine, Exception):
                raise engine
            return engine

        monkeypatch.setattr(release.docker, "from_env", from_env)
        code = release.main()
        return code, json.loads(out.read_text()) if out.exists() else None

    return run


def test_command_writes_the_record(files, report, command):
    engine = Engine(files)
    code, record = command(engine, "--report", report())
    assert code == 0
    assert record["gate"]["decision"] == "promote"
    assert record["repo_digest"] is None
    assert engine.closed


def test_command_refuses_the_report_of_another_image(files, report, command, capsys):
    other = "sha256:" + "00" * 32
    code, record = command(Engine(files), "--report", report(candidate={"image_id": other}))
    assert (code, record) == (2, None)
    message = capsys.readouterr().err
    assert other in message
    assert IMAGE_ID in message


def test_command_refuses_an_image_that_is_not_there(files, command, capsys):
    assert command(Engine(files), image="service:2") == (2, None)
    assert "service:2: the engine has no such image" in capsys.readouterr().err


def test_command_tells_an_engine_that_fails_from_a_refusal(command):
    assert command(DockerException("cannot connect")) == (5, None)
