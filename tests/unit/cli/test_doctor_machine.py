"""What the doctor makes of cores, ports and packages."""

import socket
from importlib.metadata import PackageNotFoundError

import pytest

from harness.cli.diagnosis import State
from harness.cli.doctor_machine import diagnose_cores, diagnose_dashboard
from harness.cli.doctor_packages import diagnose_packages


@pytest.mark.parametrize(
    ("cores", "quota", "state", "seen"),
    [
        (2, "", State.OK, "2"),
        (4, "max 100000", State.OK, "4"),
        (1, "", State.WARN, "1"),
        (8, "150000 100000\n", State.WARN, "8, of which its control group allows 1.5"),
        (2, "800000 100000", State.OK, "2"),
        (2, "nonsense 0", State.OK, "2"),
        (2, "1 0", State.OK, "2"),
    ],
)
def test_cores_are_those_that_may_be_used(cores, quota, state, seen):
    diagnosis = diagnose_cores(cores, quota)
    assert (diagnosis.state, diagnosis.seen) == (state, seen)
    assert bool(diagnosis.fix) is (state is not State.OK)


def test_a_port_that_is_taken_has_a_way_around():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        diagnosis = diagnose_dashboard(port)
    assert diagnosis.state is State.WARN
    assert str(port) in diagnosis.seen
    assert "--dashboard-port 0" in diagnosis.fix
    assert diagnose_dashboard(port).state is State.OK


def test_the_packages_of_this_environment_are_as_required():
    assert diagnose_packages().state is State.OK


INSTALLED = {"exact": "4.32.5", "newer": "10.1.0", "older": "2.9", "any": "0.1", "pre": "3.0rc1"}


def version(name):
    if name not in INSTALLED:
        raise PackageNotFoundError(name)
    return INSTALLED[name]


@pytest.mark.parametrize(
    ("requirement", "seen"),
    [
        ("exact==4.32.5", ""),
        ("exact==4.32.4", "exact is 4.32.5, ==4.32.4 is needed"),
        ("newer>=9.2", ""),
        ("older[extra]>=2.10", "older is 2.9, >=2.10 is needed"),
        ("any", ""),
        ("pre>=3", ""),
        ("missing>=1", "missing is missing"),
        ('missing>=1; extra == "gpu"', ""),
    ],
)
def test_a_package_is_held_against_its_requirement(requirement, seen):
    diagnosis = diagnose_packages([requirement], version)
    assert diagnosis.state is (State.FAIL if seen else State.OK)
    if seen:
        assert diagnosis.seen == seen
        assert "make venv" in diagnosis.fix
