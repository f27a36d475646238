"""Gates of the tiny service, as processes of their own, to be disturbed."""

import time

import pytest
import tiny_suite
from running_gates import gates, labelled
from stored_runs import hidden, remains

from harness.errors import ExitCode

SLOW_S = 0.15
"""For each of twelve answers, so that a gate asks for some two seconds."""
LONG_S = 2.0
"""Likewise, so that it asks for longer than an engine needs to stop and to start."""
NEVER_READY = "never ready"


@pytest.fixture
def start_gate(tmp_path):
    """Starts ``harness run``; whatever still runs at the end of the test is killed."""
    with gates(tmp_path) as start:
        yield start


@pytest.fixture(scope="session")
def suite(tmp_path_factory):
    """The gate.toml of a suite whose service is an image."""
    return tiny_suite.write_suite(tmp_path_factory.mktemp("suite") / "suite")


@pytest.fixture(scope="session")
def tiny_images(build_image):
    """Slow images of the tiny service, by what a gate of it ends with; under None one that is not slow."""
    quick = tiny_suite.built(build_image)

    def varied(*lines, slow_s=SLOW_S):
        return tiny_suite.varied(build_image, quick, f"ENV SLOW_S={slow_s}", *lines)

    return {
        None: quick,
        ExitCode.PROMOTE: varied(),
        ExitCode.REJECT: varied("ENV FACTOR=3"),
        NEVER_READY: varied('CMD ["never-ready"]'),
        "a long promote": varied(slow_s=LONG_S),
        "a long reject": varied("ENV FACTOR=3", slow_s=LONG_S),
    }


def asks(gate):
    """Wait until a gate asks its candidate."""
    gate.wait_for(lambda: list(gate.out.glob(".*.partial/evidence/golden.single")))
    time.sleep(2 * SLOW_S)


@pytest.fixture
def gate_of(start_gate, suite, tiny_images):
    """Starts a gate of one of these images; with ``asking`` it is under way when this returns."""

    def start(end=None, *, asking=False, **options):
        gate = start_gate(suite, tiny_images[end], **options)
        if asking:
            asks(gate)
        return gate

    return start


@pytest.fixture(scope="session")
def process_suites(tmp_path_factory):
    """The gate.toml of suites whose service is a slow process, by what a gate of it ends with."""

    def write(factor):
        environment = f'[service.environment]\nSLOW_S = "{SLOW_S}"\nFACTOR = "{factor}"'
        folder = tmp_path_factory.mktemp("suite") / "suite"
        return tiny_suite.write_suite(folder, replace={"[service.environment]": environment})

    return {ExitCode.PROMOTE: write(2), ExitCode.REJECT: write(3)}


@pytest.fixture
def process_gate(start_gate, process_suites):
    """Starts a gate of a process, which needs no engine."""

    def start(end=ExitCode.PROMOTE, *, asking=False, **options):
        gate = start_gate(process_suites[end], None, **options)
        if asking:
            asks(gate)
        return gate

    return start


@pytest.fixture
def left_by(engine):
    """How much a gate has left behind, by kind."""

    def count(gate, client=engine):
        return {
            "containers and networks": len(labelled(client, pid=gate.process.pid)),
            "temporary files": len(remains(gate.temporary)),
            "unfinished runs": len(hidden(gate.out)),
        }

    return count


@pytest.fixture
def cleared(gate_of, left_by):
    """Starts the next gate in the same folders, after which nothing is left; how much was before."""

    def clear(gate, client=None, **options):
        client = {} if client is None else {"client": client}
        before = left_by(gate, **client)
        following = gate_of(out=gate.out, temporary=gate.temporary, **options)
        assert following.process.wait(120) == ExitCode.PROMOTE, following.stderr
        for each in (gate, following):
            assert not any(left_by(each, **client).values()), left_by(each, **client)
        return sum(before.values())

    return clear
