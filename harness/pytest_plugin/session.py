"""The hooks of a session that gates."""

import os
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from harness.cli.progress import Progress
from harness.credentials import Credentials
from harness.events import Emit
from harness.gate import gate
from harness.pytest_plugin.asked import offered, request
from harness.pytest_plugin.fixtures import CREDENTIALS
from harness.pytest_plugin.interruption import stoppable
from harness.pytest_plugin.items import CheckItem, GateCollector, GateItem, Made, VerdictItem
from harness.pytest_plugin.once import Once
from harness.pytest_plugin.told import KEY, Told, reports_of
from harness.targets.scratch import ScratchFolder

SHARED = "gate_shared"
"""Under which a worker of xdist is handed the folder that it shares with the others."""
DESELECTED = "gate_deselected"
"""Under which a worker tells the first process that no check is left."""


class GateSession:
    """Adds the items, tells what they found, and sums it up; of xdist's processes the first tells."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._offers = offered(config)
        self._worker: dict[str, Any] | None = getattr(config, "workerinput", None)
        self._stack = ExitStack()
        self._shared: Path | None = None
        self._session: pytest.Session | None = None
        self._summary: list[str] = []
        self._deselected = False

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Keep the session, whose count of items grows with the findings."""
        self._session = session

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Hand a worker of xdist the folder in which it finds out whether another makes the gate."""
        if self._shared is None:
            self._shared = self._stack.enter_context(ScratchFolder())
        node.workerinput[SHARED] = str(self._shared)

    def pytest_unconfigure(self) -> None:
        """Remove that folder."""
        self._stack.close()

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # around -k, -m and --lf, which choose
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> Generator[None]:
        """Add an item for each check, and the verdict on what is left of them; start nothing."""
        kept: set[str] = set()
        shared = None if self._worker is None else Path(self._worker[SHARED])
        once = Once(lambda: self._gate(kept), shared)
        collector = GateCollector.from_parent(session, name="gate", nodeid="gate")
        checks = [
            CheckItem.from_parent(collector, name=offer.check_id, make=once, offer=offer)
            for offer in self._offers
        ]
        self._add(items, checks)
        result = yield
        kept.update(item.check_id for item in items if isinstance(item, CheckItem))
        if kept:
            self._add(items, [VerdictItem.from_parent(collector, name="verdict", make=once)])
        elif self._worker is not None:
            self._config.workeroutput[DESELECTED] = True  # type: ignore[attr-defined] # of xdist
        else:
            self._deselected = True
        return result

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Hear from a worker of xdist whether any check was left; one that died has said nothing."""
        self._deselected |= getattr(node, "workeroutput", {}).get(DESELECTED, False)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add to an item's report what the gate found, and take the secrets out of everyone's."""
        report = yield
        if isinstance(item, GateItem):
            _tell(item, call, report)
        elif credentials := self._config.stash.get(CREDENTIALS, None):
            _redact(report, credentials)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None]:
        """After the report of a check one of each finding.

        Not in a worker of xdist: what it reports has to be of an item that was collected.
        """
        told: Told | None = vars(report).get(KEY)
        if told is None or self._worker is not None:
            return (yield)
        self._summary = told["summary"]
        if self._session is not None:
            self._session.testscollected += len(told["findings"])  # or there were more than all of them
        result = yield
        for finding in told["findings"]:
            for each in reports_of(finding, report):
                self._config.hook.pytest_runtest_logreport(report=each)
        return result

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The verdict once more, with what it does not cover; or that nothing was gated."""
        lines = ["gate deselected: nothing was gated"] if self._deselected else self._summary
        if lines:
            terminalreporter.write_sep("=", "release gate")
        for line in lines:
            terminalreporter.write_line(line)

    def _add(self, items: list[pytest.Item], of_gate: Sequence[GateItem]) -> None:
        """Add items, and have them counted among those that were collected."""
        items.extend(of_gate)
        report = pytest.CollectReport("gate", "passed", None, list(of_gate))
        self._config.hook.pytest_collectreport(report=report)

    def _gate(self, kept: set[str]) -> Made:
        # Neither pytest nor its user's filters have a say in what libraries warn of here.
        with stoppable(), warnings.catch_warnings(action="ignore"), self._shown() as emit:
            return gate(request(self._config, self._offers, kept), os.environ, emit)

    @contextmanager
    def _shown(self) -> Iterator[Emit]:
        """A handler that shows what happens, on stderr past what captures it; none in a worker or for -q."""
        if self._worker is not None or self._config.get_verbosity() < 0:
            yield lambda _event: None
            return
        capture = self._config.pluginmanager.getplugin("capturemanager")
        terminal = self._config.pluginmanager.getplugin("terminalreporter")
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            if terminal is not None:
                terminal.ensure_newline()
                terminal.flush()
            with Progress(Console(stderr=True)) as progress:
                yield progress.handle


def _redact(report: pytest.TestReport, credentials: Credentials) -> None:
    """Take the secrets out of a traceback, at the price of its colours, and out of what was captured."""
    message = getattr(getattr(report.longrepr, "reprcrash", None), "message", "")
    if report.failed and credentials.stand_in(f"{report.longreprtext}{message}"):
        report.longrepr = credentials.redact(report.longreprtext)
    report.sections = [(name, credentials.redact(content)) for name, content in report.sections]


def _tell(item: GateItem, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """What was found goes with the report that decides on the item; it needs no traceback.

    What libraries wrote meanwhile is left out: a candidate may have a part in it.
    """
    report.sections = []
    decides = call.when == "call" or (call.when == "setup" and not report.passed)
    if not decides:
        return
    if item.told is not None:
        vars(report)[KEY] = item.told
    raised = call.excinfo.value if call.excinfo else None
    if isinstance(raised, pytest.fail.Exception):
        report.longrepr = raised.msg
    elif isinstance(raised, pytest.skip.Exception):
        report.longrepr = (report.location[0], 1, f"Skipped: {raised.msg}")
