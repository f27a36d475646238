"""What an image declares as volumes is only to be read."""

from harness.config.service import ServiceSettings
from harness.targets.container import ContainerTarget
from harness.targets.engine import Engine
from harness.targets.image import ImageIdentity
from harness.targets.interface import Image


def mounted(volumes, **service):
    """Its read-only volumes, and those in memory."""
    content = Image("sha256:0", 1, {}, lambda _path: None, volumes=volumes)
    target = ContainerTarget(
        engine=Engine(client=None, host="unix:///none", version="0"),
        image=ImageIdentity(name="service:1", image_id="sha256:0", repo_digest=None, content=content),
        service=ServiceSettings(port=8080, ready_path="/ready", **service),
        values={},
        run_id="abc123",
    )
    return target._volumes()


def test_they_are_read_only_unless_the_suite_has_them_in_memory():
    assert mounted(("/cache", "/models/")) == (["/cache", "/models"], [])
    assert mounted(("/cache/", "/models"), tmpfs=("/cache",)) == (["/models"], [])
    assert mounted(("//cache", "/a/../cache", "/models", "/models/."), tmpfs=("/cache",)) == (["/models"], [])
    assert mounted(()) == ([], [])


def test_one_in_which_the_suite_puts_a_file_is_in_memory():
    files = {"key": {"path": "/run/secrets/key", "content": "x"}}
    assert mounted(("/run", "/run/secrets/key", "/models"), files=files) == (["/models"], ["/run"])
