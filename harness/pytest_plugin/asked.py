"""What the options ask for: which checks become items, and what is gated for those that are left."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.checks.lifecycle.target import CHECK_ID
from harness.checks.table import CHECKS
from harness.config.suite import load_suite
from harness.errors import HarnessError
from harness.gate import GateRequest
from harness.model import Capability, Family
from harness.plan import asked_for, make_plan
from harness.selection import selection

OPTION = re.compile(r"--(?=(?:candidate|reference|config|only|device|out|seed)\b)")


@dataclass(frozen=True)
class Offered:
    """A check that the suite declares and the options do not leave out."""

    check_id: str
    family: Family
    required: bool


def offered(config: pytest.Config) -> tuple[Offered, ...]:
    """The checks, in the order in which a run makes them, and what the runner itself sees of the target.

    Raises:
        pytest.UsageError: for a mistake in the options or in gate.toml.
    """
    try:
        families, names = selection(config.getoption("gate_only") or ())
        suite = load_suite(Path(config.getoption("gate_config"))).on(config.getoption("gate_device") or "cpu")
        plan = make_plan(
            suite, asked_for(CHECKS, names), only=families, skip=(), capabilities=tuple(Capability)
        )
    except HarnessError as error:
        raise pytest.UsageError(told(error)) from error
    checks = [Offered(item.check.id, item.check.family, item.required) for item in plan.checks]
    return (*checks, Offered(CHECK_ID, Family.LIFECYCLE, required=True))


def request(config: pytest.Config, offers: Sequence[Offered], kept: Collection[str]) -> GateRequest:
    """The gate of the checks that are left.

    Args:
        config: Has the options.
        offers: All that there were.
        kept: The ids of those that ``-k``, ``-m`` and the like have left.
    """
    families, names = selection(config.getoption("gate_only") or ())
    left = [offer for offer in offers if offer.check_id in kept and offer.check_id != CHECK_ID]
    if left and len(kept) < len(offers):
        families = frozenset(offer.family for offer in left)
        missing = {offer.family for offer in offers if offer.check_id not in {*kept, CHECK_ID}}
        cut = missing | {offer.family for offer in offers if offer.check_id in names}
        names = frozenset(offer.check_id for offer in left if offer.family in cut)
    return GateRequest(
        candidate=config.getoption("gate_candidate"),
        reference=config.getoption("gate_reference"),
        config=Path(config.getoption("gate_config")),
        gpu=config.getoption("gate_device") == "gpu",
        only=families,
        checks=names,
        out=Path(config.getoption("gate_out") or "reports"),
        seed=config.getoption("gate_seed") or 0,
        fail_fast=config.getoption("maxfail") == 1,
    )


def told(error: HarnessError) -> str:
    """An error and its fix, the options by the names that they have here."""
    return OPTION.sub("--gate-", f"{error}\n{error.fix}".strip())
