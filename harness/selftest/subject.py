"""What a selftest tries: the entries of the suite's catalogue, or the faults of the proxy."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.checks.table import CHECKS
from harness.config.suite import Suite
from harness.plan import verified_plan
from harness.selftest.digests import Inputs, catalogue_of, digest_of_injected, read_inputs
from harness.selftest.model import Listed
from harness.selftest.proxied import listed
from harness.selftest.proxy import built_in_faults, pass_through
from harness.selftest.suites import verify


@dataclass(frozen=True)
class Subject:
    """All that could be tried.

    Attributes:
        entries: In the order in which they are.
        configs: The gate.toml that gates each, by its name.
        catalogue: Where they are declared; None for the faults of the proxy.
        control: The entry that is tried first, since what fails of it fails without a fault; None of a
            catalogue, whose healthy image nothing stands before.
        digest: Of all that their trials depend on, but for the images.
        inputs: The files that the checks of each suite read, by its name.
    """

    entries: tuple[Listed, ...]
    configs: Mapping[str, Path]
    catalogue: Path | None
    control: str | None
    digest: str
    inputs: Mapping[str, tuple[str, ...]]


def of_catalogue(suite: Suite) -> Subject:
    """The catalogue that the suite names, each entry held against the suite that gates it.

    Raises:
        ConfigError: there is none, or something in it is wrong.
    """
    catalogue = catalogue_of(suite)
    for each in catalogue.suites.values():
        verified_plan(each, CHECKS)
    for entry in catalogue.entries:
        verify(entry, catalogue.suites[catalogue.configs[entry.name]])
    inputs = read_inputs(*catalogue.suites.values())
    return Subject(
        entries=tuple(
            entry.listed.model_copy(update={"extended": bool(entry.declared.suite)})
            for entry in catalogue.entries
        ),
        configs=catalogue.configs,
        catalogue=catalogue.folder,
        control=None,
        digest=catalogue.digest(inputs),
        inputs=_names(inputs),
    )


def of_proxy(suite: Suite) -> Subject:
    """The faults that the proxy has built in.

    Raises:
        ConfigError: a file of the suite is missing or wrong.
    """
    verified_plan(suite, CHECKS)
    faults = built_in_faults()
    inputs = read_inputs(suite)
    return Subject(
        entries=tuple(listed(fault) for fault in faults),
        configs={fault.name: suite.path for fault in faults},
        catalogue=None,
        control=pass_through().name,
        digest=digest_of_injected(suite, inputs),
        inputs=_names(inputs),
    )


def _names(inputs: Inputs) -> dict[str, tuple[str, ...]]:
    return {suite: tuple(sorted(files)) for suite, files in inputs.items()}
