"""``pytest --gate-candidate=IMAGE``: the gate as test items, and its targets as fixtures.

An item for each check that the suite declares, a report for each of its findings, and ``gate::verdict`` at
the end, which only a promote passes, whatever ``-k``, ``-m`` and ``--lf`` leave of the checks.

The plugin is loaded in every pytest run of its environment: nothing heavy is imported before it is asked
for, and nothing is started before the first item or fixture that needs it.
"""

import pytest

from harness.pytest_plugin.fixtures import gate_candidate, gate_credentials, gate_prepared, gate_reference

__all__ = [
    "gate_candidate",
    "gate_credentials",
    "gate_prepared",
    "gate_reference",
    "pytest_addoption",
    "pytest_configure",
]

OF_THE_CANDIDATE = ("gate_reference", "gate_only", "gate_device", "gate_out", "gate_seed")
NEVER_EMPTY = ("gate_candidate", "gate_reference", "gate_config", "gate_out")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options; without ``--gate-candidate`` there are no items, and the fixtures skip.

    ``--gate-config`` alone may then be given: it says where the suite is, and has its place in ``addopts``.
    """
    group = parser.getgroup("gate", "release gate (harness)")
    group.addoption(
        "--gate-candidate", metavar="IMAGE|URL|DIR", help="gate this candidate, a test item per check"
    )
    group.addoption("--gate-reference", metavar="IMAGE|URL|none", help="what to compare it with")
    group.addoption(
        "--gate-config", metavar="FILE", default="gate.toml", help="the suite (default: gate.toml)"
    )
    group.addoption(
        "--gate-only",
        metavar="FAMILY",
        action="append",
        help="only this family, or of a family only this check (golden.single); may be repeated",
    )
    group.addoption("--gate-device", choices=("cpu", "gpu"), help="where it computes (default: cpu)")
    group.addoption("--gate-out", metavar="DIR", help="where reports go (default: reports)")
    group.addoption("--gate-seed", metavar="N", type=int, help="seed of everything random (default: 0)")


@pytest.hookimpl(trylast=True)  # so that no selection of another plugin comes after that of the session
def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and in a session that gates its hooks.

    Raises:
        pytest.UsageError: for options that would do nothing, or a mistake in them or in gate.toml.
    """
    config.addinivalue_line(
        "markers",
        "gate(check, family, required): a check of the release gate, made by --gate-candidate",
    )
    for option in NEVER_EMPTY:
        value = config.getoption(option)
        if value is not None and not value.strip():
            raise pytest.UsageError(f"{_flag(option)} is empty: a variable that is not set?")
    if config.getoption("gate_candidate") is not None:
        from harness.pytest_plugin.session import GateSession  # noqa: PLC0415 - see the module docstring

        config.pluginmanager.register(GateSession(config), "gate")
        return
    for option in OF_THE_CANDIDATE:
        if config.getoption(option) is not None:
            raise pytest.UsageError(f"{_flag(option)} needs --gate-candidate")


def _flag(option: str) -> str:
    return f"--{option.replace('_', '-')}"
