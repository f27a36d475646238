"""The image with the store's packages fetches from an S3-compatible server; the other says what it lacks."""

import hashlib
import json
import shutil
import time
import uuid
from contextlib import ExitStack
from pathlib import Path

import pytest
from own_containers import LABELS, LOCKED_UP, readable
from s3_server import DOCKERFILE, PORT_INSIDE, REGION, SETTINGS, constraints, set_up

import reference_service

pytestmark = pytest.mark.engine

ROOT = Path(reference_service.__file__).parents[1]
ARTIFACT = ROOT / "reference_service" / "artifacts" / "breast-cancer"
CONTENTS = {path.name: path.read_bytes() for path in ARTIFACT.iterdir()}
SHA256 = hashlib.sha256(CONTENTS["manifest.json"]).hexdigest()
BUCKET = "models"
EXIT_REFUSED = 3
READY_TIMEOUT_S = 60


@pytest.fixture(scope="module")
def store_image(images, base_image):
    return images.from_folder(
        "reference-store",
        ROOT,
        dockerfile="reference_service/Dockerfile",
        base=base_image,
        base_argument="BASE_IMAGE",
        LOCKS="service store",
    )


@pytest.fixture(scope="module")
def network(engine):
    network = engine.networks.create(f"store-{uuid.uuid4().hex}", labels=LABELS)
    yield network.name
    network.remove()


@pytest.fixture(scope="module")
def s3(engine, network, build_image):
    """The server in a container, and its address on the network."""
    lock = (ROOT / "requirements" / "dev.lock").read_text()
    image = build_image("s3", DOCKERFILE, {"constraints.txt": constraints(lock)})
    ports = {f"{PORT_INSIDE}/tcp": ("127.0.0.1", None)}
    container = engine.containers.run(
        image, detach=True, network=network, ports=ports, environment=SETTINGS, labels=LABELS
    )
    try:
        container.reload()
        server = set_up(f"http://127.0.0.1:{container.ports[f'{PORT_INSIDE}/tcp'][0]['HostPort']}")
        server.client.create_bucket(Bucket=BUCKET)
        yield (
            server,
            f"http://{container.attrs['NetworkSettings']['Networks'][network]['IPAddress']}:{PORT_INSIDE}",
        )
    finally:
        container.remove(force=True, v=True)


@pytest.fixture
def start(engine):
    """Starts a locked-up service with settings; removes it in the end."""
    with ExitStack() as stack:

        def run(image, environment, **options):
            container = engine.containers.create(
                image,
                environment=environment,
                **LOCKED_UP,
                **options,
            )
            stack.callback(container.remove, force=True, v=True)
            container.start()
            return container

        yield run


@pytest.fixture
def start_from_store(start, s3, store_image, network):
    """Starts a service whose artifact is in the bucket, with some contents of its own."""
    server, endpoint = s3

    def run(contents):
        prefix = uuid.uuid4().hex
        server.put(BUCKET, prefix, contents)
        environment = {
            "SERVICE_ARTIFACT": f"s3://{BUCKET}/{prefix}",
            "SERVICE_ARTIFACT_SHA256": SHA256,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_DEFAULT_REGION": REGION,
            **server.credentials,
        }
        return start(store_image, environment, network=network, tmpfs={"/tmp": "size=64m"})

    return run


def entries(container):
    return [json.loads(line) for line in container.logs().decode().splitlines()]


def is_healthy(container):
    """Whether the container's own check passes within the time that a start may take."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        container.reload()
        if container.status != "running":
            return False
        if container.exec_run(["python3", "-m", "reference_service.healthcheck"]).exit_code == 0:
            return True
    return False


@pytest.mark.slow
def test_artifact_of_the_store_is_served_and_no_secret_is_logged(start_from_store, s3):
    container = start_from_store(CONTENTS)
    assert is_healthy(container), container.logs().decode()
    fetched = [
        entry["url"].rpartition("/")[2] for entry in entries(container) if entry["message"] == "fetched"
    ]
    assert sorted(fetched) == sorted(CONTENTS)
    assert s3[0].credentials["AWS_SECRET_ACCESS_KEY"] not in container.logs().decode()


@pytest.mark.slow
def test_tampered_store_stops_the_start_with_both_digests(start_from_store):
    tampered = CONTENTS["model.onnx"][:-1] + b"\0"
    container = start_from_store(CONTENTS | {"model.onnx": tampered})
    assert container.wait(timeout=READY_TIMEOUT_S)["StatusCode"] == EXIT_REFUSED
    message = entries(container)[-1]["message"]
    assert "model.onnx" in message
    for content in (tampered, CONTENTS["model.onnx"]):
        assert hashlib.sha256(content).hexdigest() in message


def test_cached_copy_is_served_without_the_store_or_its_packages(start, reference_image, tmp_path):
    shutil.copytree(ARTIFACT, tmp_path / SHA256)
    for path in (tmp_path, *tmp_path.rglob("*")):
        readable(path)
    container = start(
        reference_image,
        {
            "SERVICE_ARTIFACT": "s3://bucket/a",
            "SERVICE_ARTIFACT_SHA256": SHA256,
            "SERVICE_ARTIFACT_CACHE": "/cache",
        },
        network_mode="none",
        volumes={str(tmp_path): {"bind": "/cache", "mode": "ro"}},
    )
    assert is_healthy(container), container.logs().decode()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tmpfs": {"/tmp": "size=1m"}}, "s3://bucket/a: Install s3fs"),
        ({}, "SERVICE_ARTIFACT_CACHE must be writable"),
    ],
    ids=["no package of the store", "no place for the cache"],
)
def test_image_that_cannot_fetch_says_what_it_lacks(start, reference_image, options, message):
    environment = {"SERVICE_ARTIFACT": "s3://bucket/a", "SERVICE_ARTIFACT_SHA256": SHA256}
    container = start(reference_image, environment, network_mode="none", **options)
    assert container.wait(timeout=READY_TIMEOUT_S)["StatusCode"] == EXIT_REFUSED
    assert message in entries(container)[-1]["message"]
