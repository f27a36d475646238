"""docs/load.md, docs/distributed-load.md and docs/drift.md: a service that runs is loaded, and recorded."""

import json
from contextlib import ExitStack

import httpx
import pytest
from local_processes import free_port
from walking import Instead

# 4: the machine was too busy for figures to be believed, which no page promises away.
MEASURED = (0, 4)
pytestmark = pytest.mark.slow


def result(world):
    (path,) = (world.folder / "loads").glob("*/load.json")
    return json.loads(path.read_text())


def free_web_port():
    return Instead("--web", f"--web --web-port {free_port()}", "the port may be taken")


def test_a_service_is_loaded(my_service, served):
    short = Instead("--duration 60", "--duration 3", "a minute shows no more")
    my_service.walk("docs/load.md", "harness load --target http", instead=[served, short], codes=MEASURED)
    assert result(my_service)["sides"]["target"]["requests"] == 600


@pytest.mark.engine
def test_two_images_are_loaded_side_by_side_and_watched(my_service, plain_image, tag):
    tag(plain_image, "service:1.4.0", "service:1.3.2")
    web = free_web_port()
    short = Instead("harness load", "harness load --duration 3", "half a minute shows no more")
    with my_service.start("docs/load.md", "harness load --target service", instead=[web, short]) as load:
        load.wait_for(lambda: "until Ctrl-C" in load.said)
        page = httpx.get(f"http://127.0.0.1:{web.other.split()[-1]}").text
        assert "Exact percentiles" in page
        assert load.interrupt() in MEASURED
    sides = result(my_service)["sides"]
    assert sides["target"]["requests"] == sides["reference"]["requests"] > 0


def test_three_workers_share_a_load(my_service, served):
    low = Instead("--rate 4000", "--rate 150 --duration 3", "the machine of a test has two cores")
    my_service.walk(
        "docs/distributed-load.md", "harness load --target http://127", instead=[served, low], codes=MEASURED
    )
    assert len(result(my_service)["workers"]) == 3


def test_a_master_and_its_workers_share_one(my_service, served):
    port = f"--master-port {free_port()}"
    here = [
        Instead("10.0.0.7:8000", served.other, "one machine stands for three"),
        Instead("--master-host 10.0.0.5", f"--master-host 127.0.0.1 {port}", "the same"),
        Instead("--rate 8000", "--rate 150 --duration 3", "the machine of a test has two cores"),
    ]
    with ExitStack() as started:
        load = started.enter_context(
            my_service.start("docs/distributed-load.md", "harness load --target http://10", instead=here)
        )
        workers = [
            started.enter_context(
                my_service.start("docs/distributed-load.md", "harness load --worker", instead=here[1:2])
            )
            for _ in range(2)
        ]
        assert load.shell.wait(90) in MEASURED, load.said
        assert [worker.shell.wait(30) for worker in workers] == [0, 0]
    assert len(result(my_service)["workers"]) == 2


def test_traffic_is_recorded(my_service, served):
    listen = f"127.0.0.1:{free_port()}"
    instead = [
        served,
        Instead("harness traffic record", f"harness traffic record --listen {listen}", served.because),
        Instead("--path /predict", "--path /v2/score", "the path of the suite that stands for the reader's"),
    ]
    row = json.loads((my_service.folder / "golden" / "cases.jsonl").read_text().splitlines()[0])["input"]
    headers = {"X-Token": my_service.environ["GATE_KEY_DEFAULT"]}
    with my_service.start("docs/drift.md", "harness traffic record", instead=instead) as recorder:
        recorder.wait_for(lambda: "Ctrl-C end it" in recorder.said)
        for _ in range(3):
            httpx.post(f"http://{listen}/v2/score", json=row, headers=headers).raise_for_status()
        assert recorder.interrupt() == 0
    lines = (my_service.folder / "traffic.jsonl").read_text().splitlines()
    assert [json.loads(line)["body"] for line in lines] == [row] * 3
