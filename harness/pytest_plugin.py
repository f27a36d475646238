"""``pytest --gate-candidate=IMAGE``: every check of the gate as a test item.

The plugin is loaded in every pytest run of this environment, so nothing heavy is imported before it is
asked for, and no container starts before the first item runs.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.model import CheckResult, Finding, Report

REPORT = pytest.StashKey["tuple[Report, Path]"]()
OPTIONS = ("gate_reference", "gate_only")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options; without ``--gate-candidate`` the plugin does nothing."""
    group = parser.getgroup("gate", "release gate (harness)")
    group.addoption(
        "--gate-candidate", metavar="IMAGE|URL|DIR", help="gate this candidate, a test item per check"
    )
    group.addoption("--gate-reference", metavar="IMAGE|URL|none", help="what to compare it with")
    group.addoption(
        "--gate-config", metavar="FILE", default="gate.toml", help="the suite (default: gate.toml)"
    )
    group.addoption(
        "--gate-only", metavar="FAMILY", action="append", help="only this family; may be repeated"
    )
    group.addoption(
        "--gate-out", metavar="DIR", default="reports", help="where reports go (default: reports)"
    )
    group.addoption(
        "--gate-seed", metavar="N", type=int, default=0, help="seed of everything random (default: 0)"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and refuse options that would do nothing."""
    config.addinivalue_line("markers", "gate: a check of the release gate, made by --gate-candidate")
    given = [option for option in OPTIONS if config.getoption(option)]
    if given and not config.getoption("gate_candidate"):
        raise pytest.UsageError(f"--{given[0].replace('_', '-')} needs --gate-candidate")


@pytest.hookimpl(tryfirst=True)  # before -k and -m choose
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add an item for each check that the suite declares; start nothing."""
    if config.getoption("gate_candidate"):
        collector = GateCollector.from_parent(session, name="gate")
        items.extend(collector.collect())


class GateCollector(pytest.Collector):
    """Knows the checks that a suite declares."""

    def collect(self) -> Iterator["GateItem"]:
        """One item a check.

        Raises:
            pytest.UsageError: for a mistake in gate.toml or the options.
        """
        from harness.checks.table import CHECKS  # noqa: PLC0415 - see the module docstring
        from harness.config.suite import load_suite  # noqa: PLC0415
        from harness.errors import HarnessError  # noqa: PLC0415
        from harness.model import Family  # noqa: PLC0415

        names = self.config.getoption("gate_only") or [family.value for family in Family]
        try:
            suite = load_suite(Path(self.config.getoption("gate_config")))
        except HarnessError as error:
            raise pytest.UsageError(f"{error}\n{error.fix}") from error
        unknown = sorted(set(names) - {family.value for family in Family})
        if unknown:
            raise pytest.UsageError(f"--gate-only {unknown[0]}: one of {', '.join(Family)}")
        for check in CHECKS:
            settings = suite.config.family(check.family)
            if check.family.value in names and settings is not None and check.applies(settings):
                yield GateItem.from_parent(self, name=check.id, check_id=check.id)
        yield GateItem.from_parent(self, name="lifecycle.target", check_id="lifecycle.target")


class GateItem(pytest.Item):
    """One check. The first of them to run makes the gate, of the families that are still selected."""

    def __init__(self, *, check_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check_id = check_id
        self.add_marker("gate")

    def runtest(self) -> None:
        """Report what the gate found for this check."""
        from harness.model import Outcome  # noqa: PLC0415

        report, path = _report(self.session)
        result = next((each for each in report.checks if each.id == self.check_id), None)
        self.add_report_section("call", "gate", f"report: {path}")
        if result is None:
            raise CheckFailed(f"{self.check_id}: the gate has no result for it", ())
        match result.outcome:
            case Outcome.PASS | Outcome.WARN:
                return
            case Outcome.SKIP | Outcome.NOT_APPLICABLE:
                pytest.skip(result.reason or result.outcome.value)
            case Outcome.FAIL | Outcome.INCONCLUSIVE | Outcome.ERROR:
                raise CheckFailed(
                    _headline(result), tuple(f for f in result.findings if f.outcome is result.outcome)
                )

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Findings instead of a traceback."""
        if isinstance(excinfo.value, CheckFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it comes from: the suite."""
        return Path(self.config.getoption("gate_config")), None, self.check_id


@dataclass
class CheckFailed(Exception):  # noqa: N818 - pytest shows the name
    """A check that did not pass, and its findings."""

    headline: str
    findings: "tuple[Finding, ...]"

    def __str__(self) -> str:
        return "\n".join([self.headline, *(_lines(finding) for finding in self.findings)])


def _headline(result: "CheckResult") -> str:
    return f"{result.id}: {result.outcome.value}" + (f" - {result.reason}" if result.reason else "")


def _lines(finding: "Finding") -> str:
    return (
        f"\n  {finding.id}: {finding.message}\n"
        f"    observed {finding.observed} {finding.unit}, limit {finding.limit} {finding.unit}\n"
        f"    reproduce: {finding.reproduce}"
    )


def _report(session: pytest.Session) -> "tuple[Report, Path]":
    """The report of this session's gate, made by the first item that asks."""
    if REPORT not in session.stash:
        session.stash[REPORT] = _gate(session)
    return session.stash[REPORT]


def _gate(session: pytest.Session) -> "tuple[Report, Path]":
    from harness.gate import GateRequest, gate  # noqa: PLC0415
    from harness.model import Family  # noqa: PLC0415

    option = session.config.getoption
    selected = {item.check_id.partition(".")[0] for item in session.items if isinstance(item, GateItem)}
    request = GateRequest(
        candidate=option("gate_candidate"),
        reference=option("gate_reference"),
        config=Path(option("gate_config")),
        only=frozenset(Family(name) for name in selected - {Family.LIFECYCLE.value}),
        out=Path(option("gate_out")),
        seed=option("gate_seed"),
    )
    return gate(request, os.environ, lambda _event: None)
