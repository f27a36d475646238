"""Which gates a trial is made of; pure."""

from collections.abc import Collection
from dataclasses import dataclass

from harness.checks.latency.check import LatencyPaired
from harness.model import Family
from harness.selftest.catalogue import Entry, FaultSettings
from harness.selftest.model import Mode
from harness.selftest.proxy import ProxyFault


@dataclass(frozen=True, kw_only=True)
class Round:
    """One gate of a trial.

    Attributes:
        only: Families to keep; empty keeps all.
        checks: Of a family that one of these is of, only these are kept.
        skip: Families to leave out.
        alone: Whether it measures a latency, so that nothing else may run meanwhile.
    """

    only: frozenset[Family] = frozenset()
    checks: frozenset[str] = frozenset()
    skip: frozenset[Family] = frozenset()
    alone: bool


def rounds_of(entry: Entry, mode: Mode, families: Collection[Family]) -> tuple[Round, ...]:
    """The gates that an entry has to pass, or to be killed by one; ``families`` are those of its suite.

    A benign change meets every family in either mode: whatever it is near, any other might reject it. The
    latency is what has to be alone, and takes longest: in a quick selftest it is a gate of its own, with the
    comparison alone unless the change is near the latency.
    """
    declared = entry.declared
    if isinstance(declared, FaultSettings) and mode is Mode.QUICK:
        checks = frozenset(declared.expected(own_family=True))
        return (_round(frozenset({declared.family}), checks),)
    latency = frozenset({Family.LATENCY})
    if mode is Mode.FULL or not latency < frozenset(families):
        return (Round(alone=Family.LATENCY in families),)
    checks = frozenset() if declared.family is Family.LATENCY else frozenset({LatencyPaired.id})
    return Round(skip=latency, alone=False), _round(latency, checks)


def noticing(fault: ProxyFault, families: Collection[Family]) -> tuple[Family, ...]:
    """Of those that could notice a fault of the proxy the ones of its suite, the likeliest first.

    Every gate sees whether a candidate starts and stays alive, whatever its suite declares.
    """
    return tuple(each for each in fault.families if each in families or each is Family.LIFECYCLE)


def rounds_of_injected(fault: ProxyFault, mode: Mode, families: Collection[Family]) -> tuple[Round, ...]:
    """Those of a fault of the proxy: the likeliest family first, then the others that could notice it."""
    able = noticing(fault, families)
    asked = [family for family in able if family in families]
    if mode is Mode.FULL or not fault.families or (able and not asked):
        return (Round(alone=Family.LATENCY in families),)
    return tuple(_round(frozenset(each)) for each in (asked[:1], asked[1:]) if each)


def _round(only: frozenset[Family], checks: frozenset[str] = frozenset()) -> Round:
    return Round(only=only, checks=checks, alone=Family.LATENCY in only)
