"""What a run on a GPU asks of the engine, up to the call; the engine is not there."""

from types import SimpleNamespace

import docker.errors
import pytest

from harness.config.service import ServiceSettings
from harness.config.suite import parse_suite
from harness.errors import InfrastructureError, UsageError
from harness.targets import launch
from harness.targets.engine import Engine
from harness.targets.image import ImageIdentity, build_image
from harness.targets.launch import Launcher
from harness.tls import Certificates

GATE = """
schema_version = 1
name = "s"
[service]
port = 1
ready_path = "/"
memory = "256m"
pids = 64
ready_timeout_s = 30
environment = { PROVIDER = "cpu", SHARED = "yes" }
[service.build]
dockerfile = "Dockerfile"
args = { LOCKS = "cpu", MODEL = "m" }
[service.gpu]
environment = { PROVIDER = "${device}-cuda" }
build_args = { LOCKS = "gpu" }
memory = "4g"
"""
IMAGE = ImageIdentity(name="service:1", image_id="sha256:0", repo_digest=None, content=None)


def engine(*runtimes):
    client = SimpleNamespace(info=lambda: {"Runtimes": {name: {} for name in runtimes}})
    return Engine(client=client, host="unix:///none", version="0")


WITH_GPUS = engine("runc", "nvidia")


@pytest.fixture
def launched(tmp_path, monkeypatch):
    """Resolves this folder; gives the declared build and the target that would be started."""
    (tmp_path / "Dockerfile").touch()

    def resolve(*, gpu, engine=WITH_GPUS, named=None):
        builds = []

        def build(_engine, _folder, settings, **_):
            builds.append(settings)
            return IMAGE

        monkeypatch.setattr(launch, "build_image", build)
        monkeypatch.setattr(launch, "find_image", lambda *_: IMAGE)
        launcher = Launcher(
            suite=parse_suite(GATE, tmp_path / "gate.toml"),
            engine=engine,
            values={"device": "gpu" if gpu else "cpu"},
            certificates=Certificates(lambda _secret: None),
            run_token="abc123",
            base_image=None,
            gpu=gpu,
            progress=lambda *_: None,
        )
        found = launcher.resolve(named)
        return builds, found.description, found.start(None)

    return resolve


def test_on_a_gpu_the_section_replaces_and_extends(launched):
    (build,), description, target = launched(gpu=True)
    assert build.args == {"LOCKS": "gpu", "MODEL": "m"}
    assert description.device == "gpu"
    assert target._environment() == {"PROVIDER": "gpu-cuda", "SHARED": "yes"}
    bounds = target._bounds()
    assert bounds["mem_limit"] == bounds["memswap_limit"] == "4g"
    assert bounds["pids_limit"] == 64
    assert bounds["device_requests"] == [
        {"Driver": "", "Count": -1, "DeviceIDs": [], "Capabilities": [["gpu"]], "Options": {}}
    ]


def test_an_engine_with_cdi_is_asked_by_that(launched):
    described = {
        "Runtimes": {"runc": {}},
        "DiscoveredDevices": [{"Source": "cdi", "ID": "nvidia.com/gpu=all"}],
    }
    with_cdi = Engine(client=SimpleNamespace(info=lambda: described), host="unix:///none", version="0")
    _, _, target = launched(gpu=True, engine=with_cdi)
    assert target._bounds()["device_requests"] == [
        {"Driver": "cdi", "Count": 0, "DeviceIDs": ["nvidia.com/gpu=all"], "Capabilities": [], "Options": {}}
    ]


def test_on_a_cpu_the_section_changes_nothing(launched):
    (build,), description, target = launched(gpu=False)
    assert build.args == {"LOCKS": "cpu", "MODEL": "m"}
    assert description.device == "cpu"
    assert target._environment() == {"PROVIDER": "cpu", "SHARED": "yes"}
    assert target._bounds()["mem_limit"] == "256m"
    assert target._bounds()["device_requests"] is None


def test_an_image_that_is_named_gets_the_same(launched):
    builds, _, target = launched(gpu=True, named="service:1")
    assert builds == []
    assert target._environment()["PROVIDER"] == "gpu-cuda"


@pytest.mark.parametrize("named", [None, "service:1"])
def test_an_engine_without_the_runtime_is_refused_before_a_build(launched, named):
    with pytest.raises(InfrastructureError, match="no NVIDIA runtime"):
        launched(gpu=True, engine=engine("runc"), named=named)
    launched(gpu=False, engine=engine("runc"), named=named)


def test_without_an_engine_no_process_stands_in(launched):
    with pytest.raises(InfrastructureError, match="no container engine answers"):
        launched(gpu=True, engine=None)


def test_a_url_has_no_device_to_choose(launched):
    with pytest.raises(UsageError, match="a URL runs where it runs"):
        launched(gpu=True, named="https://host.test")


def test_the_build_gets_the_arguments(tmp_path):
    asked = {}

    def build(**given):
        asked.update(given)
        raise docker.errors.DockerException("far enough")

    fake = Engine(client=SimpleNamespace(api=SimpleNamespace(build=build)), host="", version="")
    service = parse_suite(GATE, tmp_path / "gate.toml").config.service.on_gpu()
    with pytest.raises(InfrastructureError, match="far enough"):
        build_image(fake, tmp_path, service.build, tag="t", base_image=None, progress=lambda *_: None)
    assert asked["buildargs"] == {"LOCKS": "gpu", "MODEL": "m"}


def test_everything_that_is_left_out_stays():
    plain = ServiceSettings(port=1, ready_path="/", environment={"A": "b"})
    assert plain.on_gpu() == plain
    empty = ServiceSettings.model_validate({"port": 1, "ready_path": "/", "memory": "3g", "gpu": {}})
    assert empty.on_gpu() == empty
