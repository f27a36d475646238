"""An artifact from a store: verified against the pinned manifest, cached, repaired, bounded."""

import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fsspec.registry import _registry
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import reference_service
from reference_service.location import SCHEMES, parse_location
from reference_service.model.artifact import ArtifactError
from reference_service.model.download import download
from reference_service.model.fetch import open_artifact
from reference_service.settings import Settings

PACKAGE = Path(reference_service.__file__).parent
NAMES = sorted(path.name for path in (PACKAGE / "artifacts" / "breast-cancer").iterdir())
WORKERS = 4


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Store(http.server.ThreadingHTTPServer):
    """A web server of a folder, which counts what it is asked for and can be made to hang."""

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), self.handler(folder))
        self.url = f"http://127.0.0.1:{self.server_port}/models/"
        self.asked = []
        self.resume = threading.Event()
        self.resume.set()

    @staticmethod
    def handler(folder):
        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args):
                super().__init__(*args, directory=folder)

            def do_GET(self):
                self.server.asked.append(self.path.rpartition("/")[2])
                self.server.resume.wait(timeout=30)
                super().do_GET()

            def log_message(self, *_args):
                pass

        return Handler


@pytest.fixture
def stored(tmp_path):
    """The artifact's files in the store, for a test to damage."""
    return Path(shutil.copytree(PACKAGE / "artifacts" / "breast-cancer", tmp_path / "store" / "models"))


@pytest.fixture
def pinned(stored):
    return digest(stored / "manifest.json")


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def cached(cache, pinned):
    """The folder of this artifact in the cache."""
    return cache / pinned


@pytest.fixture
def store(stored):
    with Store(stored.parent) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.resume.set()
        server.shutdown()


@pytest.fixture
def settings(store, pinned, cache):
    return Settings(artifact=store.url, artifact_sha256=pinned, artifact_cache=cache)


@pytest.fixture
def fetch(stored, pinned, cache):
    """Download by `file://`, in this process."""

    def run(max_bytes=10_000_000):
        download(stored.as_uri(), pinned, cache, max_bytes=max_bytes)

    return run


def test_fetched_artifact_is_the_stored_one_and_is_not_fetched_again(store, settings, stored, cached):
    assert open_artifact(settings).model == (stored / "model.onnx").read_bytes()
    assert sorted(store.asked) == NAMES
    assert {path.name: digest(path) for path in cached.iterdir()} == {
        path.name: digest(path) for path in stored.iterdir()
    }
    store.server_close()
    assert open_artifact(settings).manifest.name == "breast-cancer"


@pytest.mark.parametrize("name", NAMES)
def test_damaged_cache_is_repaired(store, settings, stored, cached, name):
    open_artifact(settings)
    store.asked.clear()
    (cached / name).write_bytes((cached / name).read_bytes()[:100])
    assert open_artifact(settings).model == (stored / "model.onnx").read_bytes()
    assert store.asked == [name]


def test_repair_of_the_cache_is_told_with_both_digests(settings, stored, cached, capfd):
    open_artifact(settings)
    (cached / "model.onnx").write_bytes(b"garbage")
    open_artifact(settings)
    entries = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    (warning,) = [entry["message"] for entry in entries if entry["level"] == "warning"]
    for part in (
        str(cached / "model.onnx"),
        hashlib.sha256(b"garbage").hexdigest(),
        digest(stored / "model.onnx"),
    ):
        assert part in warning


def test_damaged_cache_of_a_store_that_is_gone_is_refused(store, settings, cached):
    open_artifact(settings)
    (cached / "model.onnx").write_bytes(b"garbage")
    store.shutdown()
    store.server_close()
    with pytest.raises(ArtifactError, match=r"^http://.*/models/model\.onnx: ClientConnectorError"):
        open_artifact(settings)


def test_workers_that_start_at_once_fetch_once(store, settings, stored):
    with ThreadPoolExecutor(WORKERS) as pool:
        artifacts = list(pool.map(open_artifact, [settings] * WORKERS))
    assert {artifact.model for artifact in artifacts} == {(stored / "model.onnx").read_bytes()}
    assert sorted(store.asked) == NAMES


def test_store_that_hangs_is_given_up_and_leaves_nothing_to_serve(store, settings):
    store.resume.clear()
    hurried = settings.model_copy(update={"artifact_timeout_s": 3.0})
    begun = time.monotonic()
    with pytest.raises(ArtifactError, match=r"SERVICE_ARTIFACT_TIMEOUT_S \(3 s\)"):
        open_artifact(hurried)
    assert time.monotonic() - begun < 10
    store.resume.set()
    assert open_artifact(settings).manifest.name == "breast-cancer"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:50] + bytes([content[50] ^ 1]) + content[51:],
        lambda content: content[: len(content) // 2],
        lambda _content: b"",
    ],
    ids=["one bit", "half of it", "empty"],
)
def test_stored_file_that_is_damaged_is_named_with_both_digests(fetch, stored, cache, name, damage):
    path = stored / name
    expected = digest(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ArtifactError) as raised:
        fetch()
    for part in (path.as_uri(), digest(path), expected):
        assert part in str(raised.value)
    assert name not in [path.name for path in cache.iterdir()]
    assert not list(cache.glob(".*"))


@pytest.mark.parametrize("name", NAMES)
def test_stored_file_that_is_missing_is_named(fetch, stored, name):
    (stored / name).unlink()
    with pytest.raises(ArtifactError, match=f"{name}: FileNotFoundError"):
        fetch()


def test_another_artifact_in_the_store_is_refused_before_its_model_is_fetched(fetch, stored, cache):
    manifest = stored / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"version": "1.0.0"', '"version": "6.6.6"'))
    with pytest.raises(ArtifactError, match=digest(manifest)):
        fetch()
    assert list(cache.iterdir()) == []


def test_size_is_bounded_over_all_files(fetch, stored, cache):
    total = sum(path.stat().st_size for path in stored.iterdir())
    with pytest.raises(ArtifactError, match="larger than SERVICE_ARTIFACT_MAX_BYTES"):
        fetch(total - 1)
    assert not list(cache.glob(".*"))
    shutil.rmtree(cache)
    fetch(total)


def test_rest_of_a_killed_download_is_replaced_without_following_a_link(fetch, cache, tmp_path):
    cache.mkdir()
    other = tmp_path / "other"
    other.write_text("mine")
    (cache / ".model.onnx.part").symlink_to(other)
    fetch()
    assert other.read_text() == "mine"
    assert not list(cache.glob(".*"))


def test_package_that_the_store_needs_is_named(monkeypatch, cache):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    # fsspec keeps the classes that it once found, and another test may have read from a bucket.
    monkeypatch.delitem(_registry, "s3", raising=False)
    with pytest.raises(ArtifactError, match=r"s3://bucket/models: Install s3fs.*LOCKS"):
        download("s3://bucket/models", "00" * 32, cache, max_bytes=1)


def test_cache_that_cannot_be_written_is_named(fetch, cache):
    cache.write_text("a file")
    with pytest.raises(ArtifactError, match=r"cache: File exists \(SERVICE_ARTIFACT_CACHE"):
        fetch()


@pytest.fixture(params=["folder", "url"])
def known(request, stored, pinned, cache):
    """Settings that say what they expect, of an artifact in a folder or in a store."""
    location = stored if request.param == "folder" else stored.as_uri()
    return Settings(artifact=location, artifact_sha256=pinned, artifact_cache=cache, model_version="1.0.0")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"artifact_sha256": "ab" * 32}, "SERVICE_ARTIFACT_SHA256 says abab"),
        ({"model_version": "1.0.1"}, r"breast-cancer 1\.0\.0, SERVICE_MODEL_VERSION says 1\.0\.1"),
    ],
    ids=["checksum", "version"],
)
def test_artifact_that_is_not_the_expected_one(known, changes, message):
    assert open_artifact(known).manifest.version == "1.0.0"
    with pytest.raises(ArtifactError, match=message):
        open_artifact(known.model_copy(update=changes))


def test_process_refuses_to_start_with_one_line_that_names_the_file(stored, pinned, cache):
    (stored / "model.onnx").write_bytes(b"garbage")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(PACKAGE.parent),
        "SERVICE_ARTIFACT": stored.as_uri(),
        "SERVICE_ARTIFACT_SHA256": pinned,
        "SERVICE_ARTIFACT_CACHE": str(cache),
    }
    finished = subprocess.run(
        [sys.executable, "-m", "reference_service"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert finished.returncode == 3
    last = json.loads(finished.stdout.splitlines()[-1])
    assert last["level"] == "critical"
    assert (
        f"{(stored / 'model.onnx').as_uri()}: SHA-256 is {digest(stored / 'model.onnx')}" in last["message"]
    )
    assert finished.stderr == ""


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/models",
        "simplecache::s3://bucket/models",
        "s3://key:hunter2@bucket/models",
        "https://host/models?signature=hunter2",
        "https://host/models#hunter2",
    ],
)
def test_url_that_is_no_plain_place_in_a_store(url):
    with pytest.raises(ValidationError) as raised:
        Settings(artifact=url, artifact_sha256="00" * 32)
    assert "hunter2" not in raised.value.errors(include_url=False, include_input=False)[0]["msg"]


def test_url_needs_the_digest_of_its_manifest():
    with pytest.raises(ValidationError, match="SERVICE_ARTIFACT_SHA256"):
        Settings(artifact="s3://bucket/models")


@given(st.sampled_from(SCHEMES), st.text("abz019-_./", min_size=1))
def test_urls_stay_text_and_paths_stay_paths(scheme, name):
    url = f"{scheme}://{name}"
    assert parse_location(url) == url.rstrip("/")
    assert parse_location(f"/{name}") == Path(f"/{name}")
    assert parse_location(Path(name)) == Path(name)
