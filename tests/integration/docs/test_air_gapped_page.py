"""docs/air-gapped.md: an environment and images carried to where no network is, and a gate there."""

import json
import os
import shutil
import subprocess

import pytest
from walking import Instead

pytestmark = pytest.mark.slow
OFFLINE = ("unshare", "--net", "--mount")
# All that such a machine has is its loopback interface. The ports of this machine's engine are beyond it, so
# the engine's socket is hidden and a process gated.
GATE = """
ip link set lo up
mount -t tmpfs none /run
.venv/bin/harness run --config tests/suites/plain/gate.toml --reference none --skip latency --json
"""


@pytest.fixture
def bare_checkout(checkout):
    """The checkout without its virtual environment."""
    shutil.rmtree(checkout.folder / ".venv")
    return checkout


@pytest.mark.skipif(
    subprocess.run([*OFFLINE, "ip", "link"], capture_output=True, check=False).returncode != 0,
    reason="only root takes the network from a process, and gives it a loopback by `ip`",
)
def test_the_environment_is_made_of_carried_wheels_alone(bare_checkout):
    bare_checkout.walk("docs/air-gapped.md", "python3 -m pip download", timeout_s=500)
    wheels = [path.name for path in (bare_checkout.folder / "wheels").iterdir()]
    assert [name for name in wheels if not name.endswith(".whl")] == []
    bare_checkout.walk("docs/air-gapped.md", "PIP_NO_INDEX=1", within=OFFLINE, timeout_s=500)
    gated = subprocess.run(
        [*OFFLINE, "bash", "-c", GATE],
        cwd=bare_checkout.folder,
        env={"PATH": os.environ["PATH"], "HOME": str(bare_checkout.folder)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert gated.returncode == 0, gated.stderr
    assert json.loads(gated.stdout)["scope"] == "process"


@pytest.mark.engine
@pytest.mark.skipif(not shutil.which("docker"), reason="needs docker's command")
def test_images_are_carried_and_gated(checkout, my_service, plain_image, tag, engine):
    names = "service:1.4.0", "service:1.3.2"
    tag(plain_image, *names)
    checkout.walk("docs/air-gapped.md", "docker save")
    for name in names:
        engine.images.remove(name, noprune=True)
    checkout.walk("docs/air-gapped.md", "docker load")
    assert {engine.images.get(name).id for name in names} == {engine.images.get(plain_image).id}

    (checkout.folder / "path").mkdir()
    my_service.folder.rename(checkout.folder / "path" / "to")
    short = Instead('gate.toml"', 'gate.toml --only golden"', "the whole gate takes minutes")
    gated = checkout.walk("docs/air-gapped.md", "make gate", instead=[short], timeout_s=200)
    report = json.loads((checkout.folder / "reports" / "latest").read_text())
    assert report["decision"] == "promote"
    assert report["candidate"]["image_id"] == engine.images.get(plain_image).id
    assert report["candidate"]["repo_digest"] is None
    assert "building" not in gated.said
