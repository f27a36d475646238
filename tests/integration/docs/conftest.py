"""Worlds in which the commands of the documentation work."""

import hashlib
import json
import shutil
import subprocess
import sys
import tomllib
from contextlib import suppress
from pathlib import Path

import docker
import pytest
from built_images import LABEL
from local_processes import free_port
from pages import ROOT
from registry import registry
from walking import KEY, Instead, World, serving

PLAIN = ROOT / "tests" / "suites" / "plain"


@pytest.fixture
def world(tmp_path):
    """An empty folder."""
    (tmp_path / "world").mkdir()
    return World(tmp_path / "world")


def key_variables(folder):
    """The variables in which who asks a running service has its keys."""
    names = tomllib.loads((folder / "gate.toml").read_text())["auth"]["keys"]
    return {f"GATE_KEY_{name.upper()}": f"{KEY}-{name}" for name in names}


@pytest.fixture
def my_service(tmp_path):
    """A reader's own suite: the foreign one, as if it stood for the service of the pages."""
    folder = tmp_path / "my-service"
    shutil.copytree(PLAIN, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return World(folder, key_variables(folder))


@pytest.fixture
def first_suite(my_service):
    """That suite before it has grown: contract and golden cases, decided in seconds."""
    config = my_service.folder / "gate.toml"
    text = config.read_text()
    required = 'required = ["contract", "golden", "fuzz", "scenarios", "latency"]'
    assert required in text
    config.write_text(text[: text.index("[fuzz]")].replace(required, 'required = ["contract", "golden"]'))
    return my_service


@pytest.fixture
def served(my_service):
    """The service of that suite, at the address that the pages give it; what stands for that address."""
    address = f"127.0.0.1:{free_port()}"
    token = my_service.environ["GATE_KEY_DEFAULT"]
    quota = {"sha256": hashlib.sha256(token.encode()).hexdigest(), "requests": 1000000, "window_s": 1}
    (my_service.folder / "tokens.json").write_text(json.dumps({"tokens": [quota]}))
    environ = {"SCORE_HOST": "127.0.0.1", "SCORE_PORT": address.rpartition(":")[2]}
    environ["SCORE_TOKENS_FILE"] = str(my_service.folder / "tokens.json")
    with serving([sys.executable, "service.py"], f"http://{address}/livez", my_service.folder, **environ):
        yield Instead("127.0.0.1:8000", address, "the port may be taken")


@pytest.fixture
def checkout(tmp_path):
    """A copy of this checkout, whose virtual environment stands for one that `make venv` made there."""
    folder = tmp_path / "checkout"
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    for name in filter(None, tracked.stdout.decode().split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    made = folder / ".venv"
    made.mkdir()
    for part in Path(sys.prefix).iterdir():
        (made / part.name).symlink_to(part)
    (made / ".installed").unlink(missing_ok=True)
    (made / ".installed").touch()
    return World(folder)


@pytest.fixture
def reference_service(checkout):
    """The reference service of the checkout, at the address that the pages give it, for the holder of KEY."""
    address = f"127.0.0.1:{free_port()}"
    entry = {"id": "docs", "sha256": hashlib.sha256(KEY.encode()).hexdigest(), "scopes": ["predict"]}
    (checkout.folder / "keys.json").write_text(json.dumps({"keys": [entry]}))
    with serving(
        [sys.executable, "-m", "reference_service"],
        f"http://{address}/ready",
        checkout.folder,
        SERVICE_HOST="127.0.0.1",
        SERVICE_PORT=address.rpartition(":")[2],
        SERVICE_ARTIFACT="reference_service/artifacts/breast-cancer",
        SERVICE_API_KEYS_FILE="keys.json",
    ):
        yield Instead("127.0.0.1:8000", address, "the port may be taken")


@pytest.fixture
def tag(engine):
    """Gives a test image further names, as a page has them, for as long as the test runs."""
    tagged = []

    def give(image, *names):
        for name in names:
            with suppress(docker.errors.ImageNotFound):
                there = engine.images.get(name)
                if LABEL not in there.labels:
                    pytest.skip(f"this engine has an image {name} that no test made")
            engine.images.get(image).tag(name)
            tagged.append(name)

    yield give
    for name in tagged:
        with suppress(docker.errors.ImageNotFound):
            engine.images.remove(name, noprune=True)


@pytest.fixture
def pushed(engine, plain_image, tag):
    """What stands for the page's image: the same service by its digest in a registry of this machine."""
    tag(plain_image, "registry.example/service:1.3.2")
    with registry() as address:
        name = f"{address}/service"
        tag(plain_image, f"{name}:1.4.0")
        lines = engine.api.push(name, tag="1.4.0", stream=True, decode=True)
        (digest,) = [line["aux"]["Digest"] for line in lines if "aux" in line]
        yield Instead(
            "registry.example/service@sha256:DIGEST", f"{name}@{digest}", "the digest is known by then"
        )
