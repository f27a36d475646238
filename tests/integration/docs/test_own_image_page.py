"""docs/gate-your-own-image.md, with the foreign suite for the reader's own."""

import json

import httpx
import pytest
from local_processes import free_port
from walking import Instead

pytestmark = [pytest.mark.engine, pytest.mark.slow]


def verdict(world):
    return json.loads((world.folder / "reports" / "latest").read_text())


def test_a_first_suite_promotes(first_suite, plain_image, tag):
    tag(plain_image, "my-service:2.1.0")
    first_suite.walk(
        "docs/gate-your-own-image.md",
        "harness run --config gate.toml --candidate my-service:2.1.0 --reference none",
    )
    report = verdict(first_suite)
    assert (report["decision"], report["partial"], report["reference"]) == ("promote", False, None)


def test_its_load_is_watched_alone_and_in_the_gate(my_service, plain_image, tag):
    tag(plain_image, "my-service:2.1.0", "my-service:2.0.3")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    instead = [
        Instead("--web", f"--web --web-port {port}", "the port may be taken"),
        Instead("--duration 30", "--duration 3", "half a minute shows no more"),
    ]
    with my_service.start("docs/gate-your-own-image.md", "harness load", instead=instead) as load:
        load.wait_for(lambda: "until Ctrl-C" in load.said)
        assert "Exact percentiles" in httpx.get(url).text
        load.interrupt()

    shown = Instead("--dashboard", f"--dashboard --dashboard-port {port}", "the port may be taken")
    with my_service.start(
        "docs/gate-your-own-image.md",
        "harness run --config gate.toml --candidate my-service:2.1.0 --reference my-service:2.0.3",
        instead=[shown],
    ) as gate:
        gate.wait_for(lambda: "the load is live at" in gate.said)
        assert "Exact percentiles" in gate.wait_for(lambda: httpx.get(url).text)
        assert gate.shell.wait(180) in {0, 4}, gate.said  # 4: the machine was too busy to tell
    assert {check["family"] for check in verdict(my_service)["checks"]} == {"latency", "lifecycle"}
