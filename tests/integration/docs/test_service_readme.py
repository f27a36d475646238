"""reference_service/README.md: what needs a container, or a service that has answered a while."""

import json
import shutil

import httpx
import pytest
from local_processes import free_port
from pages import ROOT
from walking import KEY, Instead

SAMPLE = json.loads((ROOT / "reference_service/artifacts/breast-cancer/manifest.json").read_text())["sample"]
NAME = "harness-test-docs"
IMAGE = Instead(" reference-service", f" {NAME}", "somebody may have an image of that name")
CONTAINER = Instead("docker run", f"docker run --rm --name {NAME}", "nothing is left behind")


def test_drift_is_looked_at_by_hand(checkout, reference_service):
    url = f"http://{reference_service.other}/predict/batch"
    for _ in range(5):
        body = {"instances": [SAMPLE["input"]] * 250}
        httpx.post(url, json=body, headers={"X-API-Key": KEY}).raise_for_status()
    told = checkout.walk("reference_service/README.md", "curl -sS http", instead=[reference_service]).out
    assert "inference_drift_rows" in told
    assert "inference_drift_psi{" in told
    assert "inference_prediction_drift_psi" in told


@pytest.fixture
def built(checkout, engine, base_image):
    """The checkout, and the image of the page from the base that this machine has."""
    yield (
        checkout,
        Instead(
            "docker build",
            f"docker build --build-arg BASE_IMAGE={base_image}",
            "not every machine has the default",
        ),
    )
    for container in engine.containers.list(all=True, filters={"name": NAME}):
        container.remove(force=True)
    engine.images.remove(NAME, noprune=True)


@pytest.mark.skipif(not shutil.which("docker"), reason="needs docker's command")
@pytest.mark.engine
@pytest.mark.slow
def test_it_serves_in_a_container_and_over_tls(built):
    checkout, base = built
    checkout.walk(
        "reference_service/README.md",
        "mkdir -p keys",
        "printf",
        "docker build",
        instead=[IMAGE, base],
        timeout_s=400,
    )
    port = free_port()
    instead = [IMAGE, CONTAINER, Instead("127.0.0.1:8000:", f"127.0.0.1:{port}:", "the port may be taken")]
    with checkout.start(
        "reference_service/README.md", "docker run --read-only --cap-drop ALL --sec", instead=instead
    ) as plain:
        plain.wait_for(lambda: httpx.get(f"http://127.0.0.1:{port}/ready").is_success)
        plain.interrupt()

    checkout.walk("reference_service/README.md", "mkdir -p tls", "openssl req")
    moved = Instead(":8443", f":{port}", "the port may be taken")
    with checkout.start(
        "reference_service/README.md",
        "docker run --read-only --cap-drop ALL -p",
        instead=[IMAGE, CONTAINER, moved],
    ) as tls:
        tls.wait_for(lambda: "listening" in tls.out)
        checkout.walk("reference_service/README.md", "curl --cacert", instead=[moved])
        tls.interrupt()


@pytest.mark.engine
def test_a_release_is_recorded_with_its_verdict(checkout, engine, reference_image):
    """The report is of its whole gate, as far as the record reads it."""
    gated = {"image_id": engine.images.get(reference_image).id}
    report = {"run_id": "RUN", "decision": "promote", "partial": False, "candidate": gated}
    (checkout.folder / "reports").mkdir()
    (checkout.folder / "reports" / "RUN.json").write_text(json.dumps(report))
    image = Instead("IMAGE", reference_image, "an image that there is")
    checkout.walk("reference_service/README.md", ".venv/bin/python scripts/release_record", instead=[image])
    record = json.loads((checkout.folder / "record.json").read_text())
    assert (record["image_id"], record["gate"]["decision"]) == (gated["image_id"], "promote")
