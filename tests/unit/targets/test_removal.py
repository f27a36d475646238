import docker.errors
import pytest

from harness.config.service import ServiceSettings
from harness.targets.container import ContainerTarget
from harness.targets.engine import Engine
from harness.targets.image import ImageIdentity
from harness.targets.interface import RemovalError


def refuse():
    raise docker.errors.DockerException("device busy")


@pytest.fixture
def target():
    """One that the engine will not remove."""
    target = ContainerTarget(
        engine=Engine(client=None, host="unix:///none", version="0"),
        image=ImageIdentity(name="service:1", image_id="sha256:0", repo_digest=None, content=None),
        service=ServiceSettings(port=8080, ready_path="/ready"),
        values={},
        run_id="abc123",
    )
    target._stack.callback(refuse)
    return target


def test_what_cannot_be_removed_is_named(target):
    with pytest.raises(RemovalError, match=r"harness-abc123-.*device busy"):
        target.__exit__(None, None, None)


def test_it_does_not_hide_what_went_wrong_before(target):
    target.__exit__(ZeroDivisionError, ZeroDivisionError(), None)


def test_every_name_is_of_its_own(target):
    other = ContainerTarget(
        engine=target._engine, image=target._image, service=target._service, values={}, run_id="abc123"
    )
    assert other._name != target._name
