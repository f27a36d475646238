"""What is written on the image and what is in it: labels, no secrets, nothing that serving does not need."""

import io
import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import reference_service

pytestmark = pytest.mark.engine

ROOT = Path(reference_service.__file__).parents[1]
VARIABLES = {
    "ORT_DISABLE_TELEMETRY",
    "PATH",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONUNBUFFERED",
    "SERVICE_ARTIFACT",
    "SERVICE_PORT",
}
ARGUMENTS = {"ARTIFACT", "MODEL_NAME", "MODEL_VERSION", "SERVICE_VERSION"}
OWN_SIZE_LIMIT_BYTES = 180_000_000
SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\beyJ[\w-]{8,}\.[\w-]{8,}\.|://[^/\s:@]+:[^/\s@]+@", re.IGNORECASE
)
"""A private key, a signed token, or a URL with a password."""
NAMED = re.compile(
    r"\w*(?:PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIAL|API_?KEY)\w*[=:]\s*[^\s\"'$]", re.IGNORECASE
)
"""A variable that is named like a secret and has a value."""


@pytest.fixture(scope="module")
def image(engine, reference_image):
    return engine.images.get(reference_image)


@pytest.fixture(scope="module")
def files(engine, image):
    """Contents of the files under /opt/app, by path."""
    container = engine.containers.create(image.id)
    try:
        packed = b"".join(container.get_archive("/opt/app")[0])
    finally:
        container.remove(force=True, v=True)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN RSA PRIVATE KEY-----",
        "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0abc.c2lnbmF0dXJl",
        "PIP_INDEX_URL=https://user:hunter2@index.test/simple",
        "DB_PASSWORD=hunter2",
        "RUN /bin/sh -c curl -H token:abc",
    ],
)
def test_patterns_find_a_secret(text):
    assert SECRET.search(text) or NAMED.search(text)


@pytest.mark.parametrize("text", ["GPG_KEY=A035C8C19219BA82", "PATH=/opt/venv/bin:/bin", "API_KEY="])
def test_patterns_leave_what_is_public(text):
    assert not SECRET.search(text)
    assert not NAMED.search(text)


def test_history_and_environment_hold_no_secret(image):
    steps = [step["CreatedBy"] for step in image.history()]
    assert any("requirements" in step or "COPY" in step for step in steps)
    for text in (*steps, *image.attrs["Config"]["Env"], *map(str, image.labels.items())):
        assert not SECRET.search(text), text
        assert not NAMED.search(text), text


def test_history_names_exactly_the_build_arguments_of_the_dockerfile(engine, image, base_image):
    base = {step["CreatedBy"] for step in engine.images.get(base_image).history()}
    steps = [step["CreatedBy"] for step in image.history() if step["CreatedBy"] not in base]
    assert set(re.findall(r"\bARG (\w+)", "\n".join(steps))) == ARGUMENTS
    assert not [
        step for step in steps if re.search(r"\|\d+ ", step)
    ]  # a RUN would show the arguments' values


def test_environment_adds_exactly_what_the_dockerfile_says(engine, image, base_image):
    base = set(engine.images.get(base_image).attrs["Config"]["Env"] or ())
    added = {entry.partition("=")[0] for entry in image.attrs["Config"]["Env"] if entry not in base}
    assert added == VARIABLES


def test_files_are_those_of_the_service_and_hold_no_secret(files):
    assert "app/reference_service/artifacts/breast-cancer/model.onnx" in files
    assert "app/reference_service/app.py" in files
    assert not [
        name for name in files if re.search(r"pipeline|release|tests?/|\.pem$|\.env$|keys\.json$|\.git", name)
    ]
    for name, content in files.items():
        if name.endswith((".py", ".json")):
            assert not SECRET.search(content.decode()), name


def test_one_artifact_is_inside(files):
    folders = {name.split("/")[3] for name in files if name.startswith("app/reference_service/artifacts/")}
    assert folders == {"breast-cancer"}


def test_package_list_has_what_is_installed_and_nothing_that_is_not_locked(files):
    packages = files["app/packages.txt"].decode().splitlines()
    assert packages == sorted(packages)
    assert any(package.startswith("pkg:deb/debian/libc6@") for package in packages)
    lock = (ROOT / "requirements" / "service.lock").read_text()
    locked = {
        f"pkg:pypi/{name}@{version}"
        for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.MULTILINE)
    }
    installed = {package.lower().replace("_", "-") for package in packages if package.startswith("pkg:pypi/")}
    assert installed <= locked
    assert {name.split("/")[1].split("@")[0] for name in installed} >= {"fastapi", "numpy", "onnxruntime"}


def test_nothing_is_installed_that_only_builds_or_tests(engine, image):
    unwanted = ["pip", "setuptools", "tests", "*.pyi", "libonnxruntime.so*", "transformers", "f2py"]
    names = " -o ".join(f"-name '{name}'" for name in unwanted)
    listing = "find /opt/venv -name site-packages; find /opt/venv " + names
    found = engine.containers.run(image.id, ["sh", "-c", listing], network_mode="none", remove=True)
    assert found.decode().split() == ["/opt/venv/lib/python3.11/site-packages"]


def test_size_without_its_base(engine, image, base_image, capsys):
    own = image.attrs["Size"] - engine.images.get(base_image).attrs["Size"]
    with capsys.disabled():
        sys.stdout.write(f"\nthe image without its base: {own / 1e6:.0f} MB\n")
    assert own < OWN_SIZE_LIMIT_BYTES


def test_labels_are_right(image, files):
    manifest = json.loads(files["app/reference_service/artifacts/breast-cancer/manifest.json"])
    labels = image.labels
    assert labels["org.opencontainers.image.title"] == "reference-service"
    assert labels["org.opencontainers.image.version"] == reference_service.__version__
    assert (labels["model.name"], labels["model.version"]) == (manifest["name"], manifest["version"])


def test_release_record_of_the_image(engine, image, files, reference_image, tmp_path):
    out = tmp_path / "record.json"
    command = [sys.executable, "scripts/release_record.py", reference_image, "--out", str(out)]
    finished = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    record = json.loads(out.read_text())
    manifest = json.loads(files["app/reference_service/artifacts/breast-cancer/manifest.json"])
    assert record["image_id"] == image.id
    assert record["repo_digest"] is None  # this tag was never pushed
    assert record["model"]["sha256"] == manifest["files"]["model.onnx"]
    assert record["service_version"] == reference_service.__version__
    left = engine.containers.list(all=True, filters={"name": "release-record", "ancestor": image.id})
    assert left == []


def test_release_record_refuses_the_report_of_another_image(reference_image, tmp_path):
    report = tmp_path / "report.json"
    other = {"image_id": "sha256:" + "00" * 32}
    report.write_text(
        json.dumps({"run_id": "r", "decision": "promote", "partial": False, "candidate": other})
    )
    out = tmp_path / "record.json"
    command = [sys.executable, "scripts/release_record.py", reference_image]
    finished = subprocess.run(
        [*command, "--out", out, "--report", report], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert finished.returncode == 2
    assert other["image_id"] in finished.stderr
    assert not out.exists()
