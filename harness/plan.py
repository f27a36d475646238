"""Which checks a run makes, in which order, on which targets."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from harness.checks.interface import AnyCheck, Stage
from harness.config.section import FamilySettings
from harness.config.suite import Suite
from harness.errors import UsageError
from harness.model import Capability, Family, Scope
from harness.policy import is_required, selected, silent

TOGETHER = frozenset({Stage.UNSTARTED, Stage.SHARED, Stage.COMPARED})
"""The stages whose checks share their targets."""


@dataclass(frozen=True)
class PlannedCheck:
    """One check of the plan.

    Attributes:
        required: Whether there is no promote without it.
        missing: The capability that this run lacks and the check needs, else None.
    """

    check: AnyCheck
    settings: FamilySettings
    required: bool
    missing: Capability | None = None


@dataclass(frozen=True)
class Plan:
    """What a run will do.

    Attributes:
        groups: Checks that share their targets, in order.
        not_applicable: Checks that this run cannot make.
        not_declared: Required families of which the suite declares nothing, so that nothing is checked.
        undeclared: The selected families that a suite can declare and this one does not, and the checks of
            the others whose inputs it does not declare, and the aspects that its settings name.
        partial: Whether families were left out by the command line.
    """

    groups: tuple[tuple[PlannedCheck, ...], ...]
    not_applicable: tuple[PlannedCheck, ...]
    not_declared: tuple[Family, ...]
    undeclared: tuple[str, ...]
    partial: bool

    @property
    def checks(self) -> tuple[PlannedCheck, ...]:
        """All planned checks, in order."""
        return tuple(planned for group in self.groups for planned in group) + self.not_applicable


def make_plan(
    suite: Suite,
    table: Sequence[AnyCheck],
    *,
    only: Collection[Family],
    skip: Collection[Family],
    capabilities: Collection[Capability],
) -> Plan:
    """The plan for a suite.

    Args:
        suite: Declares what there is to ask.
        table: All checks there are.
        only: Families to keep, required in this run; empty keeps all.
        skip: Families to leave out.
        capabilities: What this run has.

    Raises:
        UsageError: when a family is asked for that no check serves, or that the suite does not declare, or
            when nothing is left.
    """
    served = {check.family for check in table}
    declared = {family for family in served if suite.config.family(family) is not None}
    for family in only:
        if family not in declared:
            known = ", ".join(sorted(declared)) or "none"
            raise UsageError(
                f"--only {family.value}: {suite.path} does not declare it",
                fix=f"declare [{family.value}], or one of: {known}",
            )
    wanted = selected(only, skip)
    policy = suite.config.policy
    planned = planned_checks(suite, table, only=only, skip=skip, capabilities=capabilities)
    if not planned:
        raise UsageError(
            "no check is left to run", fix="see --only, --skip and the families that gate.toml declares"
        )
    checked = {item.check.family for item in planned}
    applicable = {item.check.id for item in planned}
    unchecked = silent(checked, only=only, skip=skip)
    return Plan(
        groups=_grouped([item for item in planned if item.missing is None]),
        not_applicable=tuple(item for item in planned if item.missing is not None),
        not_declared=tuple(family for family in unchecked if is_required(family, policy, only)),
        undeclared=(
            *(family.value for family in Family if family in (wanted & served) - checked),
            *(check.id for check in table if check.family in checked and check.id not in applicable),
            *_aspects(planned),
        ),
        partial=not served <= wanted,
    )


def verified_plan(
    suite: Suite,
    table: Sequence[AnyCheck],
    *,
    only: Collection[Family] = (),
    skip: Collection[Family] = (),
) -> Plan:
    """The plan of a run that can do everything, each file read that it names.

    Raises:
        UsageError: as :func:`make_plan`.
        ConfigError: for the first file that is missing or wrong.
    """
    plan = make_plan(suite, table, only=only, skip=skip, capabilities=tuple(Capability))
    for planned in plan.checks:
        planned.check.verify_inputs(suite, planned.settings)
    return plan


def planned_checks(
    suite: Suite,
    table: Sequence[AnyCheck],
    *,
    only: Collection[Family],
    skip: Collection[Family],
    capabilities: Collection[Capability],
) -> tuple[PlannedCheck, ...]:
    """Those of ``table`` that a run makes or says it cannot make; arguments as of :func:`make_plan`."""
    wanted = selected(only, skip)
    planned = []
    for check in table:
        settings = suite.config.family(check.family)
        if check.family not in wanted or settings is None or not check.applies(settings):
            continue
        missing = next(
            (capability for capability in sorted(check.needs) if capability not in capabilities), None
        )
        required = is_required(check.family, suite.config.policy, only)
        planned.append(PlannedCheck(check, settings, required=required, missing=missing))
    return tuple(planned)


def asked_for(table: Sequence[AnyCheck], names: Collection[str]) -> tuple[AnyCheck, ...]:
    """All of ``table`` but those of a family of which only others are asked for by name."""
    of = {check.family for check in table if check.id in names}
    return tuple(check for check in table if check.family not in of or check.id in names)


def capabilities_of(candidate: Scope, reference: Scope | None) -> frozenset[Capability]:
    """What a run has whose targets are such; None without a reference."""
    has = set()
    if candidate is Scope.CONTAINER:
        has.add(Capability.CONTAINER)
    if reference is not None:
        has.add(Capability.REFERENCE)
    if reference is Scope.CONTAINER:
        has.add(Capability.REFERENCE_CONTAINER)
    return frozenset(has)


def _aspects(planned: Sequence[PlannedCheck]) -> tuple[str, ...]:
    """What the planned families could check besides."""
    settings = {item.check.family: item.settings for item in planned}
    return tuple(aspect for declared in settings.values() for aspect in declared.not_declared())


def _grouped(planned: Sequence[PlannedCheck]) -> tuple[tuple[PlannedCheck, ...], ...]:
    """Checks of a stage that shares its targets together, every other by itself; in the order of stages."""
    groups: list[tuple[PlannedCheck, ...]] = []
    for stage in Stage:
        of_stage = tuple(item for item in planned if item.check.stage is stage)
        if of_stage and stage in TOGETHER:
            groups.append(of_stage)
        else:
            groups += [(item,) for item in of_stage]
    return tuple(groups)
