"""What stands beside the service, as the suite declares it."""

import pytest

from harness.config.service import ServiceSettings
from harness.config.suite import load_suite, parse_suite
from harness.errors import ConfigError, UsageError
from harness.model import Scope
from harness.targets.launch import Launcher
from harness.tls import Certificates

GATE = """
schema_version = 1
name = "s"
[service]
port = 1
ready_path = "/"
start_with = ["first"]
process = { command = ["true"] }
[service.companions.first]
image = "redis"
port = 6379
[service.companions.second]
build = { context = "redis" }
port = 6379
[service.variants.shared]
start_with = ["second", "first"]
replicas = 2
"""


def service(text=GATE):
    return parse_suite(text, "the/suite.toml").config.service


def test_a_variant_adds_companions_and_replicas():
    declared = service()
    assert (declared.start_with, declared.replicas) == (("first",), 1)
    shared = declared.as_variant("shared")
    assert (shared.start_with, shared.replicas) == (("first", "second"), 2)


def test_a_variant_may_have_longer_to_get_ready():
    patient = service(GATE.replace("replicas = 2", "replicas = 2\nready_timeout_s = 90"))
    assert patient.as_variant("shared").ready_timeout_s == 90
    assert service().as_variant("shared").ready_timeout_s == service().ready_timeout_s == 60


@pytest.mark.parametrize(
    ("change", "key", "problem"),
    [
        (('["first"]', '["third"]'), "service", "start_with: no companion 'third'"),
        (('["second", "first"]', '["redis"]'), "service", "variants.shared.start_with: no companion 'redis'"),
        (('image = "redis"\n', ""), "service.companions.first", "needs either image or build"),
        (("replicas = 2", "replicas = 0"), "service.variants.shared.replicas", "greater than or equal to 1"),
    ],
)
def test_a_mistake_is_named(change, key, problem):
    with pytest.raises(ConfigError) as caught:
        service(GATE.replace(*change))
    assert key in str(caught.value)
    assert problem in str(caught.value)


def test_a_process_stands_for_none_that_needs_containers(tmp_path):
    path = tmp_path / "gate.toml"
    path.write_text(GATE)
    launcher = Launcher(
        suite=load_suite(path),
        engine=None,
        values={},
        certificates=Certificates(lambda _secret: None),
        run_token="abc",
        base_image=None,
        gpu=False,
        progress=lambda _done, _total: None,
    )
    launch = launcher.resolve(None)
    assert launch.scope is Scope.PROCESS
    with pytest.raises(UsageError, match="no companions and no replicas"):
        launch.start(variant="shared")


@pytest.mark.parametrize(("change", "needs"), [({}, False), ({"replicas": 2}, True)])
def test_only_replicas_and_companions_need_containers(change, needs):
    settings = {"port": 1, "ready_path": "/", **change}
    assert ServiceSettings.model_validate(settings).needs_containers is needs
