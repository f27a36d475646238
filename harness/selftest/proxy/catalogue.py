"""The faults that the proxy can do, from ``faults.toml`` beside this."""

import tomllib
from functools import cache
from pathlib import Path

from harness.selftest.proxy.fault import ProxyFault

FAULTS = Path(__file__).with_name("faults.toml")


@cache
def built_in_faults() -> tuple[ProxyFault, ...]:
    """All of them; the first is the pass-through."""
    declared = tomllib.loads(FAULTS.read_text(encoding="utf-8"))
    return tuple(ProxyFault(name=name, **fields) for name, fields in declared.items())


def pass_through() -> ProxyFault:
    """The one that does nothing: what fails behind it fails without a fault."""
    return built_in_faults()[0]
