"""The seeded faults and benign changes of a suite, a folder each; read, and held against what checks exist.

::

    CATALOGUE/faults/NAME/   fault.toml    fault.py?    probe.py
    CATALOGUE/benign/NAME/   benign.toml   benign.py?   probe.py
"""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from harness.checks.lifecycle.target import CHECK_ID as LIFECYCLE_TARGET
from harness.checks.table import CHECKS
from harness.config.auth import Name
from harness.config.files import plain_file
from harness.config.problems import config_error
from harness.config.section import Section
from harness.config.toml import parse_toml
from harness.errors import ConfigError, UsageError
from harness.model import Family
from harness.selftest.model import Kind, Listed

PROBE = "probe.py"
_KNOWN_CHECKS = frozenset({LIFECYCLE_TARGET, *(check.id for check in CHECKS)})
_Text = Annotated[str, Field(min_length=1)]
_Texts = Annotated[tuple[_Text, ...], Field(min_length=1)]


class ProbeToken(Section):
    """A token that the probe is given, signed as the suite's credential of that name signs its own.

    Attributes:
        claims: In place of the valid ones; ``"now-60"`` is a minute ago.
        drop: Claims that are left out.
    """

    credential: Name
    claims: dict[str, Any] = {}
    drop: tuple[_Text, ...] = ()


class ProbeSettings(Section):
    """How the services are started that the probe asks, and what else it is given.

    Attributes:
        variant: One of ``[service.variants]`` of the suite; None for ``[service]`` as it is.
        tokens: By the names that the probe knows them by.
    """

    variant: _Text | None = None
    tokens: dict[Name, ProbeToken] = {}


class _Change(Section):
    """What a fault and a benign change have in common.

    Attributes:
        does: What the service then does, for reports.
        artifact: Whose service it is: that of ``gate.ARTIFACT.toml`` beside the suite; None for the suite's.
        suite: Lines that are added to the suite for it.
        image: Lines of a Dockerfile.
        slow: Whether tests leave it to the slow ones.
    """

    does: _Text
    family: Family
    artifact: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")] | None = None
    suite: str = ""
    image: tuple[_Text, ...] = ()
    slow: bool = False
    probe: ProbeSettings = ProbeSettings()


class FaultSettings(_Change):
    """``fault.toml``.

    Attributes:
        caught_by: For each check that has to fail, the ids of its findings that do; one that ends in ``*`` is
            of any that begins so. Those of other families are expected where the whole gate runs.
        may_also_fail: Those of its own family, or of ``lifecycle.target``, that may fail besides.
        undecided: Whether a busy machine may leave it undecided.
    """

    caught_by: Annotated[dict[str, _Texts], Field(min_length=1)]
    may_also_fail: tuple[_Text, ...] = ()
    undecided: Literal["where not measured"] | None = None

    def expected(self, *, own_family: bool) -> dict[str, tuple[str, ...]]:
        """``caught_by``, of its own family or of all."""
        return {
            check: ids
            for check, ids in self.caught_by.items()
            if not own_family or _is_of(check, self.family)
        }

    def is_told_by(self, failed: str) -> bool:
        """Whether the failure of a check, or of a finding, says what it does: also that it died does."""
        return _is_of(failed, self.family) or f"{failed}.".startswith(f"{LIFECYCLE_TARGET}.")

    @model_validator(mode="after")
    def _of_checks_there_are(self) -> Self:
        _require_known("caught_by", self.caught_by)
        if not self.expected(own_family=True):
            raise ValueError(f"caught_by names no check of its own family, {self.family.value}")
        for check, ids in self.caught_by.items():
            for each in ids:
                if not each.startswith(f"{check}."):
                    raise ValueError(f"caught_by: {each!r} is no finding of {check}")
        for each in (*(id_ for ids in self.caught_by.values() for id_ in ids), *self.may_also_fail):
            if each.endswith(".") or "*" in each[:-1]:
                raise ValueError(f"{each!r} is no id; '{each.rstrip('.*')}.*' is any that begins so")
        for each in self.may_also_fail:
            if not self.is_told_by(each):
                raise ValueError(
                    f"may_also_fail: {each!r} is neither of its family, {self.family.value}, nor of "
                    f"{LIFECYCLE_TARGET}; leave it out: what others see besides is not held against a fault"
                )
        if self.undecided is not None and self.family is not Family.LATENCY:
            raise ValueError("undecided is for faults of the latency: all others can always be told")
        return self


class BenignSettings(_Change):
    """``benign.toml``.

    Attributes:
        near: The checks whose faults it resembles.
    """

    near: _Texts

    @model_validator(mode="after")
    def _of_checks_there_are(self) -> Self:
        _require_known("near", self.near)
        return self


@dataclass(frozen=True)
class Entry:
    """A fault or a benign change."""

    folder: Path
    declared: FaultSettings | BenignSettings

    @property
    def name(self) -> str:
        """That of its folder."""
        return self.folder.name

    @property
    def kind(self) -> Kind:
        """Whether it is a fault."""
        return Kind.FAULT if isinstance(self.declared, FaultSettings) else Kind.BENIGN

    @property
    def file(self) -> Path:
        """What declares it, which errors name."""
        return self.folder / f"{self.kind.value}.toml"

    @property
    def module(self) -> Path | None:
        """What the image starts in place of its own command, None where it does not."""
        path = self.folder / f"{self.kind.value}.py"
        return path if path.is_file() else None

    @property
    def probe(self) -> Path | None:
        """The program that shows that it is active, None where nobody wrote one."""
        path = self.folder / PROBE
        return path if path.is_file() else None

    @property
    def listed(self) -> Listed:
        """As a report names it."""
        declared = self.declared
        checks = tuple(declared.caught_by) if isinstance(declared, FaultSettings) else declared.near
        return Listed(
            name=self.name,
            kind=self.kind,
            family=declared.family,
            does=declared.does,
            checks=checks,
        )


def load_catalogue(folder: Path) -> tuple[Entry, ...]:
    """All entries, faults before benign changes, each by name.

    Raises:
        ConfigError: there are none, one is wrong, or two have the same name.
    """
    entries = [*_entries(folder / "faults", FaultSettings), *_entries(folder / "benign", BenignSettings)]
    if not entries:
        raise ConfigError(
            file=folder,
            problem="no fault and no benign change is in it",
            allowed="faults/NAME/fault.toml and benign/NAME/benign.toml",
        )
    seen: dict[str, Entry] = {}
    for entry in entries:
        if (other := seen.setdefault(entry.name, entry)) is not entry:
            raise ConfigError(
                file=entry.file, problem=f"{other.file} has that name too", allowed="names of their own"
            )
    return tuple(entries)


def chosen(entries: Sequence[Listed], names: Iterable[str]) -> frozenset[str]:
    """The names of those that are named, themselves or by their family; all for no name.

    Raises:
        UsageError: for a name of neither.
    """
    wanted = frozenset(names)
    families = [family.value for family in Family if any(entry.family is family for entry in entries)]
    known = {entry.name for entry in entries} | set(families)
    for name in sorted(wanted - known):
        near = difflib.get_close_matches(name, known, n=1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise UsageError(
            f"--only {name}: there is no such entry, and none of such a family",
            fix=f"{meant}families with entries here: {', '.join(families)}; the same command with --report, "
            "and without --only, names the entries; the faults of the proxy are known with --proxy only",
        )
    return frozenset(
        entry.name for entry in entries if not wanted or entry.name in wanted or entry.family in wanted
    )


def _entries(folder: Path, model: type[FaultSettings] | type[BenignSettings]) -> Iterator[Entry]:
    """An entry for each folder; none is passed over, lest a misspelt fault be a survivor that nobody sees."""
    name = "fault.toml" if model is FaultSettings else "benign.toml"
    try:
        folders = sorted(each for each in folder.iterdir() if each.is_dir() and each.name[0] not in "._")
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(file=folder, problem=f"cannot be read ({error.strerror or error})") from error
    for each in folders:
        path = each / name
        try:
            text = plain_file(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(file=path, problem=f"cannot be read: {error}", allowed="a TOML file") from error
        document = parse_toml(text, path)
        try:
            yield Entry(each, model.model_validate(document))
        except ValidationError as error:
            raise config_error(error, model, path) from error


def _require_known(key: str, checks: Iterable[str]) -> None:
    for check in checks:
        if check not in _KNOWN_CHECKS:
            raise ValueError(f"{key}: no check {check!r}; there are {', '.join(sorted(_KNOWN_CHECKS))}")


def _is_of(check: str, family: Family) -> bool:
    return check.startswith(f"{family.value}.")
