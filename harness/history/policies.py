"""Which keys two policies differ in, defaults included, and whether each was loosened or tightened; pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic_core import to_json

from harness.checks.golden.limits import GoldenLimits, OutputLimits
from harness.config.section import Section
from harness.config.suite import GateConfig, parse_suite
from harness.errors import HarnessError
from harness.history.looseness import Looser, direction
from harness.history.rules import rule_of, without_entry
from harness.model import Direction, PolicyChange, PolicyRecord, Scalar
from harness.reports.text import cut

MOST_SHOWN = 200
_NAMES = ("finding", "variant", "name")
_JUDGE_NOTHING = frozenset({"schema_version", "name", "auth", "selftest"})
_STARTS = frozenset(
    {
        *("port", "scheme", "environment", "command", "files", "tmpfs", "build", "build_args", "process"),
        *("companions", "start_with", "memory", "cpus", "pids", "disk", "stop_timeout_s"),
    }
)


@dataclass(frozen=True)
class PolicyComparison:
    """Two policies beside each other.

    Attributes:
        changes: In the order of the keys of gate.toml.
        problem: Why they could not be compared, else empty.
    """

    changes: tuple[PolicyChange, ...] = ()
    problem: str = ""


def compare_policies(old: PolicyRecord, new: PolicyRecord) -> PolicyComparison:
    """What changed from one report's policy to another's; total, whatever text the policies are."""
    if old.content == new.content:
        return PolicyComparison()
    read = []
    for name, record in (("earlier", old), ("later", new)):
        try:
            read.append(parse_suite(record.content, Path("policy")).config)
        except (HarnessError, ValueError, RecursionError) as error:
            first = str(error).partition("\n")[0]
            return PolicyComparison(
                problem=f"the {name} policy is not one that this version of harness reads ({first})"
            )
    try:
        return PolicyComparison(changes=policy_changes(*read))
    except (RecursionError, ValueError):  # pydantic writes no JSON of so many levels
        return PolicyComparison(problem="they are nested too deeply to compare")


def policy_changes(old: GateConfig, new: GateConfig) -> tuple[PolicyChange, ...]:
    """Every key whose value differs; what ``[latency.gpu]`` says is compared as what then holds."""
    old, new = _with_bounds(old, new), _with_bounds(new, old)
    changes = tuple(_section("", _on(old, "cpu"), _on(new, "cpu")))
    if not any(config.latency is not None and config.latency.gpu is not None for config in (old, new)):
        return changes
    on_gpu = [change for change in _section("", _on(old, "gpu"), _on(new, "gpu")) if change not in changes]
    return changes + tuple(
        change.model_copy(update={"key": change.key.replace("latency.", "latency.gpu.", 1)})
        for change in on_gpu
    )


def judges(change: PolicyChange) -> bool:
    """Whether a key has a part in what is asked or allowed, and not only in how the service is started."""
    first, *others = change.key.split(".")
    return first not in _JUDGE_NOTHING and (first != "service" or _STARTS.isdisjoint(others))


def noteworthy(changes: Iterable[PolicyChange]) -> tuple[PolicyChange, ...]:
    """What was loosened, wherever it stands, and what judges and changed in a way that cannot be told."""
    return tuple(
        change
        for change in changes
        if change.direction is Direction.LOOSENED
        or (change.direction is Direction.CHANGED and judges(change))
    )


def _with_bounds(config: GateConfig, other: GateConfig) -> GateConfig:
    """What ``[service]`` says for each bound that only the other's ``[service.gpu]`` has."""
    service, gpu, others = config.service, config.service.gpu, other.service.gpu
    if gpu is None or others is None:
        return config
    missing = {
        name: getattr(service, name)
        for name in ("memory", "pids", "ready_timeout_s")
        if getattr(gpu, name) is None and getattr(others, name) is not None
    }
    filled = service.model_copy(update={"gpu": gpu.model_copy(update=missing)})
    return config.model_copy(update={"service": filled})


def _on(config: GateConfig, device: Literal["cpu", "gpu"]) -> GateConfig:
    latency = None if config.latency is None else config.latency.on(device)
    return config.model_copy(update={"latency": latency})


def _section(key: str, old: Section, new: Section) -> Iterator[PolicyChange]:
    """Two sections of one model, field by field."""
    for name in type(old).model_fields:
        if isinstance(old, GoldenLimits) and isinstance(new, GoldenLimits) and name == "overrides":
            yield from _overrides(f"{key}.{name}", old, new)
            continue
        where = f"{key}.{name}" if key else name
        rule, missing = rule_of(type(old), name), without_entry(type(old), name)
        before, after = getattr(old, name), getattr(new, name)
        if missing is not None:
            before = before | {entry: missing(entry) for entry in after if entry not in before}
            after = after | {entry: missing(entry) for entry in before if entry not in after}
        yield from _values(where, before, after, rule)


def _values(key: str, old: Any, new: Any, rule: Looser | None) -> Iterator[PolicyChange]:
    if old == new and type(old) is type(new):
        return
    match old, new:
        case Section(), Section() if type(old) is type(new):
            yield from _section(key, old, new)
        case dict(), dict():
            # The order of the earlier one, then what is new.
            for entry in dict.fromkeys([*old, *new]):
                yield from _values(f"{key}.{entry}", old.get(entry), new.get(entry), rule)
        case tuple(), tuple() if rule is not None:
            yield from _entries(key, old, new, rule)
        case _:
            yield _change(key, old, new, rule)


def _entries(key: str, old: tuple[Any, ...], new: tuple[Any, ...], rule: Looser) -> Iterator[PolicyChange]:
    """Each entry that one list has more often than the other; entries with a name of their own by it."""
    named = _by_name(old), _by_name(new)
    if named[0] is not None and named[1] is not None:
        yield from _values(key, named[0], named[1], rule)
        return
    by_text = {to_json(entry): entry for entry in (*old, *new)}
    before, after = Counter(map(to_json, old)), Counter(map(to_json, new))
    for text, entry in by_text.items():
        if before[text] > after[text]:
            yield _change(key, entry, None, rule)
        elif before[text] < after[text]:
            yield _change(key, None, entry, rule)


def _by_name(entries: tuple[Any, ...]) -> dict[str, Any] | None:
    """Sections by what tells them apart for a reader; None where they have no such key, or share one."""
    found = [next((getattr(entry, key) for key in _NAMES if hasattr(entry, key)), None) for entry in entries]
    names = [name for name, entry in zip(found, entries, strict=True) if isinstance(entry, Section) and name]
    return dict(zip(names, entries, strict=True)) if len(set(names)) == len(entries) else None


def _overrides(key: str, old: GoldenLimits, new: GoldenLimits) -> Iterator[PolicyChange]:
    """The limits that hold where an override does, of the outputs that one names."""
    every = (*old.overrides, *new.overrides)
    for selector in dict.fromkeys((each.device, each.provider, each.against) for each in every):
        device, provider, against = selector
        label = ", ".join(str(part) for part in selector if part is not None)
        pair = [limits.on(device or "", provider, against) for limits in (old, new)]
        for table in OutputLimits.model_fields:
            named = {output for each in every for output in getattr(each, table)}
            before, after = (
                OutputLimits.model_validate(
                    {table: {name: limit for name, limit in getattr(each, table).items() if name in named}}
                )
                for each in pair
            )
            yield from _section(f"{key}[{label}]", before, after)


def _change(key: str, old: Any, new: Any, rule: Looser | None) -> PolicyChange:
    return PolicyChange(key=key, direction=_direction(rule, old, new), old=_shown(old), new=_shown(new))


def _direction(rule: Looser | None, old: Any, new: Any) -> Direction:
    collections = (tuple, dict)
    if rule is Looser.ALLOWS and (isinstance(old, collections) or isinstance(new, collections)):
        # A list that is none allows all; any list allows less.
        return direction(Looser.HIGHER, None if old is None else 0, None if new is None else 0)
    return direction(rule, old, new)


def _shown(value: Any) -> Scalar:
    """A scalar as it is, all else as JSON, cut where it is long."""
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return str(value)
        case date():
            return value.isoformat()
        case _:
            said = value.model_dump(exclude_unset=True) if isinstance(value, Section) else value
            return cut(to_json(said).decode(), MOST_SHOWN)
