"""``pytest --gate-candidate=IMAGE``: every check of the gate as a test item.

Whatever ``-k`` and ``-m`` leave of them, ``gate::verdict`` comes last, and only a promote passes it.
The plugin is loaded in every pytest run of this environment, so nothing heavy is imported before it is
asked for, and no container starts before the first item runs.
"""

import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.model import CheckResult, Finding, Report

GATED = pytest.StashKey["tuple[Report, Path] | Exception"]()
LEFT_OUT = pytest.StashKey["bool"]()
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


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around -k and -m, which choose
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> Generator[None]:
    """Add an item for each check that the suite declares, and the verdict on what is left; start nothing."""
    if not config.getoption("gate_candidate"):
        return (yield)
    collector = GateCollector.from_parent(session, name="gate")
    declared = list(collector.collect())
    items.extend(declared)
    result = yield
    kept = [item for item in items if isinstance(item, GateItem)]
    session.stash[LEFT_OUT] = len(kept) < len(declared)
    if kept:
        items.append(VerdictItem.from_parent(collector, name="verdict"))
    return result


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


class _Item(pytest.Item):
    """One thing to know of the gate. The first of them to run makes it, of the families still selected."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_marker("gate")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What the gate says instead of a traceback."""
        from harness.errors import HarnessError  # noqa: PLC0415

        match excinfo.value:
            case CheckFailed() as failed:
                return str(failed)
            case HarnessError() as error:
                return f"{error}\n{error.fix}".strip()
            case _:
                return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it comes from: the suite."""
        return Path(self.config.getoption("gate_config")), None, self.name


class GateItem(_Item):
    """One check."""

    def __init__(self, *, check_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check_id = check_id

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
            case Outcome.NOT_APPLICABLE:
                pytest.skip(result.reason or result.outcome.value)
            case Outcome.FAIL | Outcome.INCONCLUSIVE | Outcome.ERROR | Outcome.SKIP:
                raise CheckFailed(
                    _headline(result), tuple(f for f in result.findings if f.outcome is result.outcome)
                )


class VerdictItem(_Item):
    """The decision on all that ran; no selection of checks may hide it."""

    def runtest(self) -> None:
        """Fail unless the candidate may be promoted."""
        from harness.model import Decision  # noqa: PLC0415

        report, path = _report(self.session)
        self.add_report_section("call", "gate", f"report: {path}")
        if report.decision is not Decision.PROMOTE:
            reasons = [f"  {r.finding_id or r.check_id}: {r.message}" for r in report.reasons]
            raise CheckFailed("\n".join([f"verdict: {report.decision.value}", *reasons]), ())


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
    """The report of this session's gate, made by the first item that asks; it is not tried again."""
    if GATED not in session.stash:
        try:
            session.stash[GATED] = _gate(session)
        except Exception as error:  # noqa: BLE001 - whatever it is, every item fails of it
            session.stash[GATED] = error
    gated = session.stash[GATED]
    if isinstance(gated, Exception):
        raise gated
    return gated


def _gate(session: pytest.Session) -> "tuple[Report, Path]":
    from harness.gate import GateRequest, gate  # noqa: PLC0415
    from harness.model import Family  # noqa: PLC0415

    option = session.config.getoption
    kept = {item.check_id for item in session.items if isinstance(item, GateItem)} - {"lifecycle.target"}
    asked = option("gate_only") or session.stash[LEFT_OUT]
    request = GateRequest(
        candidate=option("gate_candidate"),
        reference=option("gate_reference"),
        config=Path(option("gate_config")),
        only=frozenset(Family(name.partition(".")[0]) for name in kept) if asked else frozenset(),
        out=Path(option("gate_out")),
        seed=option("gate_seed"),
    )
    return gate(request, os.environ, lambda _event: None)
