"""docs/gate-your-own-image.md and README's start: as somebody with a service of their own meets them."""

import json
import sys
import tomllib
from contextlib import contextmanager

import httpx
import pytest
from local_processes import free_port
from pages import ROOT
from walking import Instead, serving

SMALL = ROOT / "tests" / "integration" / "suite_init" / "small.py"
DOCKERFILE = 'FROM ${BASE}\nCOPY small.py /small.py\nEXPOSE 8000\nUSER 10001\nCMD ["python3", "/small.py"]\n'
KEY = "the-key-of-a-caller"
OTHERWISE = "FROM ${BASE}\nENV BIAS=0.001\n"
SHORT = "the whole gate measures latency for a minute"


@pytest.fixture
def my_images(build_image, tag):
    """Two releases, of which the second adds an offset."""
    first = build_image("small", DOCKERFILE, {"small.py": SMALL.read_text()})
    tag(first, "my-service:2.1.0")
    tag(build_image("small-biased", OTHERWISE, base=first), "my-service:2.2.0")


@contextmanager
def at_its_url(world, **environ):
    """The first release at a URL; what stands for that of the page."""
    address = f"127.0.0.1:{free_port()}"
    port = address.rpartition(":")[2]
    with serving(
        [sys.executable, str(SMALL)], f"http://{address}/ready", world.folder.parent, PORT=port, **environ
    ):
        yield Instead("127.0.0.1:8000", address, "the port may be taken")


def config(world, folder):
    return tomllib.loads((world.folder / folder / "gate.toml").read_text())


def decision(world):
    return json.loads((world.folder / "reports" / "latest").read_text())["decision"]


@pytest.mark.slow
def test_a_suite_from_a_url(world):
    world.walk("docs/gate-your-own-image.md", "harness doctor")
    with at_its_url(world) as address:
        world.walk(
            "docs/gate-your-own-image.md", "harness init --candidate http://127.0.0.1:8000", instead=[address]
        )
    made = config(world, "my-suite")
    assert set(made["golden"]["outputs"]) == {"score", "label"}
    assert made["contract"]["served"] == "/openapi.json"
    with at_its_url(world, API_KEY=KEY) as address:
        world.walk("docs/gate-your-own-image.md", "GATE_KEY_CALLER=", instead=[address])
    assert config(world, "with-a-key")["auth"]["keys"] == ["caller"]
    written = [path.read_text() for path in (world.folder / "with-a-key").rglob("*") if path.is_file()]
    assert not [text for text in written if KEY in text]


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.usefixtures("my_images")
def test_a_release_is_gated_and_the_next_is_not_promoted(world):
    world.walk("docs/gate-your-own-image.md", "harness init --candidate my-service:2.1.0 --dir my-suite")
    first = world.walk(
        "docs/gate-your-own-image.md",
        "harness doctor --config my-suite/gate.toml",
        "harness run --config my-suite/gate.toml --candidate my-service:2.1.0 --reference none --only golden",
    )
    assert "ok    suite" in first.said
    assert decision(world) == "promote"
    world.walk(
        "docs/gate-your-own-image.md",
        "harness run --config my-suite/gate.toml --candidate my-service:2.1.0 --reference none",
        codes=(0, 4),
    )
    assert decision(world) in {"promote", "inconclusive"}  # as the page says of a busy machine
    calibrated = world.walk("docs/gate-your-own-image.md", "harness golden calibrate")
    assert "every answer was equal" in calibrated.out


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.usefixtures("my_images")
def test_another_answer_is_not_promoted_until_it_is_blessed(world):
    world.walk("docs/gate-your-own-image.md", "harness init --candidate my-service:2.1.0 --dir my-suite")
    skip = Instead("harness run", "harness run --skip latency", SHORT)
    told = world.walk(
        "docs/gate-your-own-image.md",
        "harness run --config my-suite/gate.toml --candidate my-service:2.2.0 --reference my-service:2.1.0",
        "harness report reports/latest",
        instead=[skip],
        before="set +e",
    )
    assert decision(world) == "reject"
    assert "golden.single.score" in told.out
    world.walk(
        "docs/gate-your-own-image.md",
        "harness golden bless",
        "harness run --config my-suite/gate.toml --candidate my-service:2.2.0 --reference my-service:2.1.0",
        instead=[skip],
    )
    assert decision(world) == "promote"


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.usefixtures("my_images")
def test_an_image_with_a_key_and_one_asked_by_hand(world):
    world.walk("docs/gate-your-own-image.md", "harness init --candidate my-service:2.1.0 --dir with-a-key")
    made = config(world, "with-a-key")
    assert made["service"]["environment"] == {"API_KEY": "${key.caller}"}
    assert made["golden"]["single"]["credential"] == "caller"
    world.walk(
        "docs/gate-your-own-image.md",
        "echo",
        "harness init --candidate my-service:2.1.0 --dir by-hand",
    )
    cases = (world.folder / "by-hand" / "golden" / "my-service" / "cases.jsonl").read_text().splitlines()
    assert json.loads(cases[0])["input"] == {"values": [1.5, 2.25, -3.0]}


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.usefixtures("my_images")
def test_its_load_is_watched_alone_and_in_the_gate(world):
    world.walk("docs/gate-your-own-image.md", "harness init --candidate my-service:2.1.0 --dir my-suite")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    instead = [
        Instead("--web", f"--web --web-port {port}", "the port may be taken"),
        Instead("--duration 30", "--duration 3", "half a minute shows no more"),
    ]
    with world.start("docs/gate-your-own-image.md", "harness load", instead=instead) as load:
        load.wait_for(lambda: "until Ctrl-C" in load.said)
        assert "Exact percentiles" in httpx.get(url).text
        load.interrupt()
    with world.start(
        "docs/gate-your-own-image.md",
        "harness run --config my-suite/gate.toml --candidate my-service:2.2.0 "
        "--reference my-service:2.1.0 --only latency",
        instead=[Instead("--dashboard", f"--dashboard --dashboard-port {port}", "the port may be taken")],
    ) as gate:
        gate.wait_for(lambda: "the load is live at" in gate.said)
        assert "Exact percentiles" in gate.wait_for(lambda: httpx.get(url).text)
        assert gate.shell.wait(180) in {0, 4}, gate.said  # 4: the machine was too busy to tell


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.usefixtures("my_images")
def test_the_start_of_the_readme(checkout):
    checkout.walk(
        "README.md",
        "make venv && . .venv/bin/activate",
        "harness doctor",
        "harness init",
        "harness run --config my-suite/gate.toml --candidate my-service:2.1.0 --reference none",
        instead=[Instead("--reference none", "--reference none --skip latency", SHORT)],
        timeout_s=200,
    )
    assert decision(checkout) == "promote"
    checkout.walk(
        "README.md",
        "harness run --config my-suite/gate.toml --candidate my-service:2.2.0",
        instead=[Instead("--reference my", "--skip latency --reference my", SHORT)],
        codes=(3,),
        timeout_s=200,
    )
