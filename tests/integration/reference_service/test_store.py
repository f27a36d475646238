"""Artifacts from an S3-compatible server, and from a stand-in for Google's."""

import hashlib
import http.server
import json
import threading
import uuid
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from s3_server import REGION, s3_process

import reference_service
from reference_service.model.artifact import ArtifactError
from reference_service.model.download import download
from reference_service.model.fetch import open_artifact
from reference_service.settings import Settings

ROOT = Path(reference_service.__file__).parents[1]
CONTENTS = {
    path.name: path.read_bytes()
    for path in (ROOT / "reference_service" / "artifacts" / "breast-cancer").iterdir()
}
BUCKET = "models"
MAX_BYTES = 10_000_000


def digest(content):
    return hashlib.sha256(content).hexdigest()


SHA256 = digest(CONTENTS["manifest.json"])


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    with s3_process(tmp_path_factory.mktemp("s3") / "log") as server:
        server.client.create_bucket(Bucket=BUCKET)
        yield server


@pytest.fixture
def prefix(s3):
    """A prefix of its own, which holds the artifact, for a test to damage."""
    name = f"breast-cancer/{uuid.uuid4().hex}"
    s3.put(BUCKET, name, CONTENTS)
    return name


@pytest.fixture
def environment(s3, monkeypatch, tmp_path):
    """Only the variables and files of the library's own that the test sets; nothing of this machine."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    for name in s3.credentials:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture
def signed(s3, environment):
    for name, value in s3.credentials.items():
        environment.setenv(name, value)


@pytest.fixture
def opened(prefix, tmp_path):
    """Opens the artifact of the store."""
    settings = Settings(
        artifact=f"s3://{BUCKET}/{prefix}", artifact_sha256=SHA256, artifact_cache=tmp_path / "cache"
    )
    return lambda: open_artifact(settings)


@pytest.mark.usefixtures("signed")
def test_artifact_with_credentials_of_the_environment(opened, s3, prefix):
    assert opened().model == CONTENTS["model.onnx"]
    s3.client.delete_object(Bucket=BUCKET, Key=f"{prefix}/model.onnx")
    assert opened().model == CONTENTS["model.onnx"]  # the cached copy


def test_artifact_with_credentials_of_a_mounted_file(opened, s3, environment, tmp_path):
    lines = [f"{name.lower()}={value}" for name, value in s3.credentials.items()]
    (tmp_path / "credentials").write_text("\n".join(["[default]", *lines]))
    environment.delenv("AWS_ACCESS_KEY_ID", raising=False)
    assert opened().manifest.version == "1.0.0"


def test_wrong_signature_is_refused_and_the_secret_is_not_told(opened, s3, environment, capfd):
    environment.setenv("AWS_ACCESS_KEY_ID", s3.credentials["AWS_ACCESS_KEY_ID"])
    environment.setenv("AWS_SECRET_ACCESS_KEY", "hunter2-hunter2")
    with pytest.raises(ArtifactError, match=r"manifest\.json: .*Forbidden") as raised:
        opened()
    captured = capfd.readouterr()
    assert "hunter2" not in str(raised.value) + captured.out + captured.err


@pytest.mark.usefixtures("environment")
def test_no_credentials_at_all_are_told(opened):
    with pytest.raises(ArtifactError, match=r"manifest\.json: NoCredentialsError"):
        opened()


@pytest.fixture
def downloaded(prefix, tmp_path):
    """Downloads it in this process: quicker, and the same code."""
    return lambda: download(f"s3://{BUCKET}/{prefix}", SHA256, tmp_path, max_bytes=MAX_BYTES)


@pytest.mark.usefixtures("signed")
@pytest.mark.parametrize("name", ["manifest.json", "model.onnx"])
def test_truncated_object_is_named_with_both_digests(downloaded, s3, prefix, name):
    damaged = CONTENTS[name][: len(CONTENTS[name]) // 2]
    s3.put(BUCKET, prefix, {name: damaged})
    with pytest.raises(ArtifactError) as raised:
        downloaded()
    for part in (f"s3://{BUCKET}/{prefix}/{name}", digest(damaged), digest(CONTENTS[name])):
        assert part in str(raised.value)


@pytest.mark.usefixtures("signed")
def test_missing_object_is_named(downloaded, s3, prefix):
    s3.client.delete_object(Bucket=BUCKET, Key=f"{prefix}/model.onnx")
    with pytest.raises(ArtifactError, match=rf"s3://{BUCKET}/{prefix}/model\.onnx: FileNotFoundError"):
        downloaded()


class Google(http.server.BaseHTTPRequestHandler):
    """As much of Cloud Storage's JSON API as reading needs: an object's metadata, and its content."""

    def do_GET(self):
        path, _, object_name = unquote(urlsplit(self.path).path).partition("/o/")
        content = CONTENTS.get(object_name.removeprefix("a/"))
        if content is None:
            self.send_error(http.HTTPStatus.NOT_FOUND)
            return
        about = {"kind": "storage#object", "name": object_name, "bucket": BUCKET, "size": str(len(content))}
        body = content if path.startswith("/download/") else json.dumps(about).encode()
        self.send_response(http.HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


def test_artifact_of_google_cloud_storage(monkeypatch, tmp_path):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Google) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
        settings = {"artifact_sha256": SHA256, "artifact_cache": tmp_path}
        artifact = open_artifact(Settings(artifact=f"gs://{BUCKET}/a", **settings))
        assert artifact.model == CONTENTS["model.onnx"]
        download(f"gcs://{BUCKET}/a", SHA256, tmp_path / "gcs", max_bytes=MAX_BYTES)
        assert (tmp_path / "gcs" / "model.onnx").read_bytes() == CONTENTS["model.onnx"]
        with pytest.raises(ArtifactError, match=r"manifest\.json: "):
            download(f"gcs://{BUCKET}/b", SHA256, tmp_path / "none", max_bytes=MAX_BYTES)
        server.shutdown()
