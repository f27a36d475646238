"""The gate's test items: one for each check, and the verdict. The first of them to run makes the gate."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.checks.lifecycle.target import CHECK_ID
from harness.errors import HarnessError
from harness.model import Report
from harness.pytest_plugin.asked import Offered, told
from harness.pytest_plugin.told import Told, check, verdict

Made = tuple[Report, Path]


class GateCollector(pytest.Collector):
    """Where the items hang; they are made by the session, after all others were collected."""

    def collect(self) -> Iterator[pytest.Item]:
        """Nothing is found in files."""
        return iter(())


class GateItem(pytest.Item):
    """One thing to know of the gate.

    Attributes:
        told: What there is to tell, once it is known.
    """

    def __init__(self, *, make: Callable[[], Made], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.told: Told | None = None
        self._make = make

    def tell(self, report: Report, path: Path) -> Told | None:
        """What the report says of it; None for nothing."""
        raise NotImplementedError

    def setup(self) -> None:
        """Have the gate made; whatever leaves this unknown is an error, and no failure of the candidate."""
        try:
            report, path = self._make()
        except HarnessError as error:
            pytest.fail(told(error), pytrace=False)
        self.told = self.tell(report, path)
        if self.told is None:
            pytest.skip("nothing was started")
        if self.told["phase"] == "skipped":
            pytest.skip(self.told["text"])
        if self.told["phase"] == "error":
            pytest.fail(self.told["text"], pytrace=False)

    def runtest(self) -> None:
        """Fail of what speaks against the candidate."""
        if self.told is not None and self.told["phase"] == "failed":
            pytest.fail(self.told["text"], pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where it comes from: the suite."""
        return Path(self.config.getoption("gate_config")), None, f"gate {self.name}"


class CheckItem(GateItem):
    """One check."""

    def __init__(self, *, offer: Offered, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check_id = offer.check_id
        self.add_marker(
            pytest.mark.gate(check=offer.check_id, family=offer.family.value, required=offer.required)
        )

    def tell(self, report: Report, path: Path) -> Told | None:
        """Its result; where no target was started nothing is known of one."""
        result = next((each for each in report.checks if each.id == self.check_id), None)
        if result is not None:
            return check(result, report, path)
        if self.check_id == CHECK_ID:
            return None
        pytest.fail(f"{self.check_id}: the gate has no result for it\nreport: {path}", pytrace=False)


class VerdictItem(GateItem):
    """The decision on all that ran; no selection of checks may hide it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_marker(pytest.mark.gate(check="verdict", family="verdict", required=True))

    def tell(self, report: Report, path: Path) -> Told:
        """The decision."""
        return verdict(report, path)
