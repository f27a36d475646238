"""README.md: its commands in the order in which a reader meets them."""

import json
import re

import httpx
import pytest
from local_processes import free_port
from pages import ROOT, read_page
from walking import KEY, Instead

BIASED = ROOT / "tests" / "gate" / "faults" / "golden_biased_probability" / "fault.py"
OVERLAY = """FROM ${BASE}
COPY fault.py /overlay/fault.py
ENV PYTHONPATH=/overlay
CMD ["python3", "-m", "fault"]
"""
SHORT = "the whole gate measures latencies for minutes; the workflow ci.yml runs it"


def verdict(world):
    report = json.loads((world.folder / "reports" / "latest").read_text())
    return report["decision"], report["scope"], {check["family"] for check in report["checks"]}


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.usefixtures("base_image")
def test_the_service_of_the_checkout_is_gated(checkout):
    skip = Instead("make gate", 'make gate ARGS="--skip latency --skip lifecycle --skip scenarios"', SHORT)
    checkout.walk("README.md", "make gate", instead=[skip], timeout_s=400)
    decision, scope, families = verdict(checkout)
    assert (decision, scope) == ("promote", "container")
    assert families >= {"image", "artifact", "contract", "golden", "fuzz", "telemetry", "drift"}


@pytest.mark.engine
@pytest.mark.slow
def test_an_image_is_gated_against_another(checkout, reference_image, tag):
    tag(reference_image, "registry.example/service:1.4.0", "registry.example/service:1.3.2")
    only = Instead("make gate", 'make gate ARGS="--only golden"', SHORT)
    checkout.walk("README.md", "make gate CANDIDATE", instead=[only], timeout_s=200)
    assert verdict(checkout)[0] == "promote"


@pytest.mark.engine
@pytest.mark.slow
def test_a_biased_candidate_is_rejected_as_shown(checkout, build_image, reference_image, tag):
    biased = build_image("biased", OVERLAY, {"fault.py": BIASED.read_text()}, base=reference_image)
    tag(biased, "service:1.4.0")
    tag(reference_image, "service:1.3.2")
    only = Instead("harness run", "harness run --only golden --only contract --only image", SHORT)
    shown = checkout.walk(
        "README.md", "harness run --candidate", "echo", instead=[only], before="set +e", timeout_s=200
    )
    assert shown.out.splitlines()[-1] == "3"
    (block,) = read_page("README.md").blocks("console")
    report = "\n".join(line for line in block.text.splitlines() if not line.startswith("$"))
    for part in report.removesuffix("3").split("..."):
        assert shape(part) in shape(shown.said)


def shape(text):
    """What two runs have in common: not times, names of runs, nor which checks were asked for."""
    text = re.sub(r", of [\w, ]+ only \(partial\)", "", text)
    for pattern in (r"\b[\d.]+ s\b", r"\b\d{8}T\d{6}Z-\w+-\w+", r"\d+ of \d+ required"):
        text = re.sub(pattern, "*", text)
    return " ".join(text.split())


@pytest.mark.engine
@pytest.mark.slow
def test_every_check_is_a_test_item(first_suite, plain_image):
    image = Instead("IMAGE", plain_image, "an image that there is")
    told = first_suite.walk("README.md", "pytest", instead=[image], timeout_s=200).out
    assert re.search(r"\b[1-9]\d* passed in", told)


@pytest.mark.slow
def test_the_locustfile_opens_its_web_ui(checkout, reference_service):
    port = free_port()
    instead = [
        reference_service,
        Instead("--web-host", f"--web-port {port} --web-host", "the port may be taken"),
        Instead("LOCUST_API_KEY=...", f"LOCUST_API_KEY={KEY}", "the page has no key"),
    ]
    with checkout.start("README.md", "LOCUST_API_KEY", instead=instead) as locust:
        page = locust.wait_for(lambda: httpx.get(f"http://127.0.0.1:{port}").text)
        assert "InferenceUser" in page
        users = {"user_count": 1, "spawn_rate": 1, "host": f"http://{reference_service.other}"}
        assert httpx.post(f"http://127.0.0.1:{port}/swarm", data=users).json()["success"]
        stats = locust.wait_for(lambda: requests_of(port))
        assert stats["fail_ratio"] == 0
        locust.interrupt()


def requests_of(port):
    stats = httpx.get(f"http://127.0.0.1:{port}/stats/requests").json()
    return stats if stats["stats"] and stats["stats"][-1]["num_requests"] else None
