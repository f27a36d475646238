"""Which suite gates an entry: the one that is tested, that of another artifact, or one with more lines."""

import contextlib
from pathlib import Path

from harness.checks.lifecycle.target import CHECK_ID as LIFECYCLE_TARGET
from harness.checks.table import CHECKS
from harness.config.suite import Suite, parse_suite
from harness.errors import ConfigError
from harness.selftest.catalogue import Entry, FaultSettings


def config_of(entry: Entry, suite: Suite) -> Path:
    """The gate.toml of the artifact whose service the entry changes.

    Raises:
        ConfigError: there is none.
    """
    artifact = entry.declared.artifact
    if artifact is None or artifact == suite.config.name:
        return suite.path
    path = suite.path.with_name(f"gate.{artifact}.toml")
    if not path.is_file():
        raise ConfigError(
            file=entry.file,
            key="artifact",
            value=artifact,
            problem=f"there is no {path.name} beside {suite.path}",
            allowed=f"{suite.config.name}, or the name of a suite there",
        )
    return path


def verify(entry: Entry, of: Suite) -> None:
    """Find the mistakes of an entry before anything is built.

    Args:
        entry: The fault or the change.
        of: The suite that gates it, without what it adds.

    Raises:
        ConfigError: what it adds is no suite, or its suite has no such variant, family or check.
    """
    suite = parse_suite(_with_more(entry, of.text), entry.file) if entry.declared.suite else of
    variants = suite.config.service.variants
    if (variant := entry.declared.probe.variant) is not None and variant not in variants:
        raise ConfigError(
            file=entry.file,
            key="probe.variant",
            value=variant,
            problem=f"{of.path} has no such variant",
            allowed=", ".join(variants) or "none is declared",
        )
    family = entry.declared.family
    settings = suite.config.family(family)
    asked = {
        check.id
        for check in CHECKS
        if check.family is family and settings is not None and check.applies(settings)
    }
    if isinstance(entry.declared, FaultSettings):
        for check in entry.declared.expected(own_family=True):
            if check not in {*asked, LIFECYCLE_TARGET}:
                raise ConfigError(
                    file=entry.file,
                    key="caught_by",
                    value=check,
                    problem=f"{of.path} does not declare what this check asks",
                    allowed=", ".join(sorted(asked)) or f"a suite with [{family.value}]",
                )


def extended(entry: Entry, config: Path, folder: Path) -> Path:
    """The suite that gates the entry: ``config``, or, with what the entry adds, one in ``folder``.

    Beside that lies what lies beside the first, so that its paths lead to the same.
    """
    if not entry.declared.suite:
        return config
    folder.mkdir(parents=True, exist_ok=True)
    for beside in config.absolute().parent.iterdir():
        if beside.name != config.name:
            with contextlib.suppress(FileExistsError):
                (folder / beside.name).symlink_to(beside)
    path = folder / config.name
    path.write_text(_with_more(entry, config.read_text(encoding="utf-8")), encoding="utf-8")
    return path


def _with_more(entry: Entry, text: str) -> str:
    return f"{text}\n{entry.declared.suite}\n"
