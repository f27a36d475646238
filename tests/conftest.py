"""Fixtures for tests that need a container engine, and what happens to those tests where there is none."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import docker
import hypothesis
import pytest
from built_images import BuiltImages, built_images
from chromium import find_chromium

ROOT = Path(__file__).resolve().parent.parent
REQUIRE_ENGINE = "HARNESS_REQUIRE_ENGINE"
BUILD_TIMEOUT_S = 600
NO_ENGINE = "no container engine answers"
REQUIRE_BROWSER = "HARNESS_REQUIRE_BROWSER"
NO_BROWSER = "no Chromium is found"
FIGURES = "HARNESS_FIGURES"
"""Names a file that gets what the tests recorded as figures, a line of JSON each."""
ALONE = tuple(
    ROOT / "tests" / "integration" / name
    for name in (
        "benchmarks",
        "gate/test_any_candidate.py",
        "gate/test_reference_as_process.py",
        "gate/test_stored_run.py",
        "latency",
        "load",
        "locust",
    )
)
"""What measures times, and a run that many tests look at."""
LATENCY = "[latency_"

# A busy machine is no fault of what is tested. `make test-all` asks thoroughly.
hypothesis.settings.register_profile("harness", deadline=None, max_examples=30)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=300)
hypothesis.settings.load_profile("harness")


def _engine_address() -> str | None:
    """The address of an engine that answers, as scripts/find_engine.py finds it."""
    found = subprocess.run(
        [sys.executable, ROOT / "scripts" / "find_engine.py"], check=False, capture_output=True, text=True
    )
    return found.stdout.strip() or None


def pytest_configure() -> None:
    """Let the tests, and the processes they start, use the engine that answers, and no proxy on loopback."""
    for name in ("NO_PROXY", "no_proxy"):  # clients read either
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1,localhost"]))
    if address := _engine_address():
        os.environ["DOCKER_HOST"] = address
    else:
        os.environ.pop("DOCKER_HOST", None)


def _has_engine() -> bool:
    return "DOCKER_HOST" in os.environ


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the container tests where there is no engine, unless one is required; mark what runs alone."""
    for item in items:
        if any(item.path.is_relative_to(path) for path in ALONE) or LATENCY in item.nodeid:
            item.add_marker(pytest.mark.alone)
    for marker, why, required in _missing():
        for item in items:
            if item.get_closest_marker(marker) and os.environ.get(required) != "1":
                item.add_marker(pytest.mark.skip(reason=why))


def _missing() -> list[tuple[str, str, str]]:
    """Marker, what its tests lack, and the variable that requires it all the same."""
    engine = [] if _has_engine() else [("engine", NO_ENGINE, REQUIRE_ENGINE)]
    browser = [] if find_chromium() else [("browser", NO_BROWSER, REQUIRE_BROWSER)]
    return engine + browser


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test that lacks what is required."""
    for marker, why, required in _missing():
        if item.get_closest_marker(marker):
            pytest.fail(f"{why}, and {required}=1", pytrace=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly that the tests of containers, or in a browser, did not run; keep what others measured."""
    if os.environ.get(FIGURES):
        _write_figures(terminalreporter)
    advice = {
        NO_ENGINE: (
            "CONTAINER",
            "`make engine` says what is missing; with an engine, run `make test` again.",
        ),
        NO_BROWSER: ("BROWSER", "Install Chromium (Debian: `apt-get install chromium`) and run them again."),
    }
    for why, (kind, what_to_do) in advice.items():
        reports = terminalreporter.getreports("skipped")
        skipped = sum(why in str(report.longrepr) for report in reports)
        if skipped:
            terminalreporter.section(f"{kind} TESTS SKIPPED", sep="!", red=True, bold=True)
            terminalreporter.write_line(
                f"{skipped} {kind.lower()} tests did not run: {why}. {what_to_do}", red=True
            )


def _write_figures(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests recorded as ``figures.told`` gives it: tries, how they ended, seconds, what was left."""
    lines = []
    for report in (report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)):
        for told in (json.loads(value) for name, value in report.user_properties if name == "figures"):
            told["seconds"] = round(report.duration if told["seconds"] is None else told["seconds"], 1)
            lines.append(json.dumps({"test": report.nodeid, **told}))
    path = Path(os.environ[FIGURES])
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    terminalreporter.write_line(f"{len(lines)} figures are in {path}")


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    """A client of the engine at DOCKER_HOST."""
    client = docker.from_env(timeout=BUILD_TIMEOUT_S)
    yield client
    client.close()


@pytest.fixture(scope="session")
def base_image() -> str:
    """Reference of an image with Python 3.11 and a pip that works, to build other images from."""
    if "HARNESS_BASE_IMAGE" not in os.environ:
        made = subprocess.run(
            [ROOT / "scripts" / "base_image.sh"], check=True, stdout=subprocess.PIPE, text=True
        )
        os.environ["HARNESS_BASE_IMAGE"] = made.stdout.strip()
    return os.environ["HARNESS_BASE_IMAGE"]


@pytest.fixture(scope="session")
def images(engine: docker.DockerClient) -> Iterator[BuiltImages]:
    """Builds images from folders and files; a build of the same content is used again."""
    with built_images(engine) as images:
        yield images


@pytest.fixture(scope="session")
def reference_image(images: BuiltImages, base_image: str) -> str:
    """Tag of the reference service built from this checkout."""
    return images.from_folder(
        "reference",
        ROOT,
        dockerfile="reference_service/Dockerfile",
        base=base_image,
        base_argument="BASE_IMAGE",
    )


@pytest.fixture(scope="session")
def build_image(images: BuiltImages, base_image: str) -> Callable[..., str]:
    """Builds small images ``FROM ${BASE}``."""

    def build(
        name: str, dockerfile: str, files: Mapping[str, str] | None = None, base: str = base_image
    ) -> str:
        context = {"Dockerfile": f"ARG BASE\n{dockerfile}", **(files or {})}
        return images.from_files(name, context, base=base, base_argument="BASE")

    return build
