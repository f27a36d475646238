"""What is taken from an image's configuration, which the candidate wrote."""

from types import SimpleNamespace

import pytest

from harness.errors import InfrastructureError
from harness.targets.image import _content
from harness.targets.interface import Image


def content(**config):
    return _content(SimpleNamespace(id="sha256:1", attrs={"Size": 1, "Config": config}))


def test_only_what_is_a_port_is_one():
    exposed = {port: {} for port in ("8080/tcp", "80/tcp", "53/udp", "8000-8010/tcp", "../tcp", "tcp", "9")}
    assert content(ExposedPorts=exposed).ports == (80, 8080)


def test_its_volumes_are_known():
    assert content(Volumes={"/b": {}, "/a": {}}).volumes == ("/a", "/b")
    assert content(Volumes=None).volumes == ()


def test_an_archive_that_would_fill_the_disk_is_not_written(tmp_path):
    image = Image("sha256:1", 10**18, {}, lambda path: path.write_bytes(b""))
    with pytest.raises(InfrastructureError, match="are free in") as caught:
        image.archive(tmp_path)
    assert "TMPDIR" in caught.value.fix
    assert list(tmp_path.iterdir()) == []
