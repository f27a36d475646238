"""Walks two schemas side by side and reports what differs, by direction.

The walk is a work list over pairs of schemas, each pair visited once: recursive schemas end, and
deep ones need no deep stack. Alternatives of unions are matched with each other first by content,
then by component name, then by the least breaking comparison.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from harness.openapi.delta import AlternativePair, Delta
from harness.openapi.document import Budget, Document, Node
from harness.openapi.keywords import keyword_deltas, type_delta, union_values, values_delta
from harness.openapi.model import Change, Direction, Severity, show
from harness.openapi.rules import change
from harness.openapi.schema import (
    ALL_TYPES,
    NUMERIC,
    Alternative,
    Schema,
    SchemaReader,
    canonical,
    pointers,
    type_names,
)
from harness.openapi.structure import SchemaPair, array_pairs, object_deltas, read_shape

_COMPONENT = re.compile(r"/components/schemas/[^/]+")
_MAX_TRIALS = 3
"""Unions within unions that matching looks through; beyond, leftovers count as different."""
_LEVEL_STEPS = 25
_PROPERTY_STEPS = 10
_CHANGE_STEPS = 20
"""For each: a document of megabytes could name hundreds of thousands of properties that nobody knew."""

Matches = list[tuple[Alternative, Alternative]]


@dataclass(frozen=True, slots=True)
class Level:
    """What differs between two schemas at their own level, and the pairs below it."""

    changes: tuple[Change, ...] = ()
    below: tuple[SchemaPair, ...] = ()


class SchemaDiff:
    """Compares schemas of one old and one new document, remembering what it has compared."""

    def __init__(self, old: Document, new: Document) -> None:
        self._budget = Budget()
        self.old = SchemaReader(old, self._budget)
        self.new = SchemaReader(new, self._budget)
        self._levels: dict[object, Level] = {}

    def changes(self, old: Node | None, new: Node | None, direction: Direction) -> list[Change]:
        """All changes between two schemas, an absent one accepting anything.

        Raises:
            OpenAPIError: a schema cannot be read, or the two are too entangled.
        """
        pair = ((old,) if old else (), (new,) if new else ())
        walk = _Walk(self, direction, trials=0)
        return [*walk.emptied(*pair), *walk.run([pair])]

    def level(self, old: Schema, new: Schema, walk: "_Walk") -> Level:
        """The changes between two schemas, not looking below."""
        key = (pointers(old), pointers(new), walk.direction, walk.trials)
        if key not in self._levels:
            self.step(_LEVEL_STEPS, (*new, *old)[0])
            self._levels[key] = walk.compare(old, new)
        return self._levels[key]

    def step(self, steps: int, node: Node) -> None:
        """Count steps of a walk."""
        self._budget.spend(steps, node)


class _Walk:
    """One walk through a pair of schemas in one direction, inside `trials` attempts to match unions."""

    def __init__(self, diff: SchemaDiff, direction: Direction, *, trials: int) -> None:
        self.diff = diff
        self.direction = direction
        self.trials = trials

    def run(self, pairs: Iterable[SchemaPair]) -> list[Change]:
        """Changes of the pairs and of all that lies below them."""
        found: list[Change] = []
        pending = deque(pairs)
        seen: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()
        while pending:
            old, new = pending.popleft()
            key = (pointers(old), pointers(new))
            if key in seen or key == ((), ()):
                continue
            seen.add(key)
            self.diff.step(1, (*new, *old)[0])
            level = self.diff.level(old, new, self)
            found.extend(level.changes)
            pending.extend(level.below)
        return found

    def emptied(self, old: Schema, new: Schema) -> list[Change]:
        """That a service has to answer what no value can be any more: by types alone that is a narrowing."""
        if self.direction is Direction.REQUEST or self.diff.new.alternatives(new):
            return []
        if not self.diff.old.alternatives(old):
            return []
        return [self._change(Delta("type-changed", new[0].pointer, "type", "some value", "no value"))]

    def compare(self, old: Schema, new: Schema) -> Level:
        """Compare two schemas as unions of alternatives."""
        at = (*new, *old)[0].pointer
        olds, news = self.diff.old.alternatives(old), self.diff.new.alternatives(new)
        old_types, new_types = _union_types(olds), _union_types(news)
        changes = self._nullability(old_types, new_types, at)
        olds, news = _without_null(olds), _without_null(news)
        if not olds or not news:
            # One of the two is null alone, or nothing at all.
            deltas = type_delta(old_types, new_types, at)
            return Level((*changes, *(self._change(delta) for delta in deltas)))
        was, now = union_values(olds), union_values(news)
        if was is not None and now is not None and (len(olds) > 1 or len(news) > 1):
            level = Level(tuple(self._change(delta) for delta in values_delta(was, now, at)))
        elif len(olds) > 1 or len(news) > 1:
            level = self._unions(_split(olds), _split(news), at)
        else:
            level = self._conjunctions(olds[0], news[0], at)
        return Level((*changes, *level.changes), level.below)

    def _nullability(self, old: frozenset[str], new: frozenset[str], at: str) -> list[Change]:
        # What accepts anything accepts null as well: the change of type says that already.
        if ALL_TYPES in (old, new) or ("null" in old) == ("null" in new):
            return []
        effect = "added" if "null" in new else "removed"
        return [self._change(Delta(f"nullable-{effect}", at, "null", "null" in old, "null" in new))]

    def _conjunctions(self, old: Alternative, new: Alternative, at: str) -> Level:
        pair = AlternativePair(old, new, self.diff.old.document, self.diff.new.document, at)
        deltas = list(keyword_deltas(pair))
        below: list[SchemaPair] = []
        emptied: list[Change] = []
        if pair.either_allows(frozenset({"object"})):
            self.diff.step(_PROPERTY_STEPS * _names((*old.nodes, *new.nodes)), self.diff.new.document.root)
            old_shape = read_shape(old, self.direction, self.diff.old)
            new_shape = read_shape(new, self.direction, self.diff.new)
            for found in object_deltas(pair, old_shape, new_shape, self.direction):
                if isinstance(found, Delta):
                    deltas.append(found)
                else:
                    below.append(found)
            for name in sorted(new_shape.required & new_shape.properties.keys()):
                emptied += self.emptied(old_shape.schema_of(name), new_shape.properties[name])
        if pair.either_allows(frozenset({"array"})):
            below.extend(array_pairs(old, new))
        return Level((*emptied, *(self._change(delta) for delta in deltas)), tuple(below))

    def _unions(self, olds: list[Alternative], news: list[Alternative], at: str) -> Level:
        matches, left_old, left_new = self._match(olds, news, at)
        levels = [self._conjunctions(old, new, _place(new, at)) for old, new in matches]
        changes = [found for level in levels for found in level.changes]
        for old in left_old:
            if self.direction is Direction.RESPONSE or not any(self._fits(old, new, at) for new in news):
                where = _place(old, at)
                changes.append(
                    self._change(Delta("alternative-removed", where, "alternative", _name(old), None))
                )
        for new in left_new:
            if self.direction is Direction.REQUEST or not any(self._fits(old, new, at) for old in olds):
                where = _place(new, at)
                changes.append(
                    self._change(Delta("alternative-added", where, "alternative", None, _name(new)))
                )
        return Level(tuple(changes), tuple(pair for level in levels for pair in level.below))

    def _match(
        self, olds: list[Alternative], news: list[Alternative], at: str
    ) -> tuple[Matches, list[Alternative], list[Alternative]]:
        """Pair alternatives that are the same, then those with the fewest breaking changes."""
        matches: Matches = []
        left_old, left_new = olds, news
        for signature in (_content, _components):
            found, left_old, left_new = _match_equal(left_old, left_new, signature)
            matches += found
        costs = sorted(
            (self._cost(old, new, at), i, j)
            for i, old in enumerate(left_old)
            for j, new in enumerate(left_new)
            if old.types & new.types
        )
        used_old: set[int] = set()
        used_new: set[int] = set()
        for _, i, j in costs:
            if i not in used_old and j not in used_new:
                used_old.add(i)
                used_new.add(j)
                matches.append((left_old[i], left_new[j]))
        return (
            matches,
            [old for i, old in enumerate(left_old) if i not in used_old],
            [new for j, new in enumerate(left_new) if j not in used_new],
        )

    def _fits(self, old: Alternative, new: Alternative, at: str) -> bool:
        return bool(old.types & new.types) and self._cost(old, new, at)[0] == 0

    def _cost(self, old: Alternative, new: Alternative, at: str) -> tuple[int, int, int]:
        """How many errors, warnings and other changes a match would bring."""
        if not old.nodes or not new.nodes:
            # One of the two accepts anything; that is the same as long as nothing is demanded.
            return (int(not (old.nodes if self.direction is Direction.REQUEST else new.nodes)), 0, 0)
        if self.trials == _MAX_TRIALS:
            return (1, 0, 0)
        self.diff.step(_LEVEL_STEPS, (*new.nodes, *old.nodes)[0])
        inner = _Walk(self.diff, self.direction, trials=self.trials + 1)
        level = inner._conjunctions(old, new, at)
        changes = [*level.changes, *inner.run(level.below)]
        errors = sum(change.severity is Severity.ERROR for change in changes)
        warnings = sum(change.severity is Severity.WARNING for change in changes)
        return (errors, warnings, len(changes))

    def _change(self, delta: Delta) -> Change:
        self.diff.step(_CHANGE_STEPS, self.diff.new.document.root)
        if delta.old is None:
            difference = f"added, is {show(delta.new)}"
        elif delta.new is None:
            difference = f"removed, was {show(delta.old)}"
        else:
            difference = f"was {show(delta.old)}, is {show(delta.new)}"
        return change(
            f"{self.direction}-{delta.rule}",
            delta.pointer,
            f"{self.direction} {delta.what}: {difference}",
            old=delta.old,
            new=delta.new,
        )


def _names(nodes: Schema) -> int:
    """How many properties they list."""
    listed = (node.fields.get("properties") for node in nodes)
    return sum(len(properties) for properties in listed if isinstance(properties, dict))


def _union_types(alternatives: Iterable[Alternative]) -> frozenset[str]:
    return frozenset().union(*(alternative.types for alternative in alternatives))


def _without_null(alternatives: Iterable[Alternative]) -> tuple[Alternative, ...]:
    return tuple(Alternative(each.nodes, types) for each in alternatives if (types := each.types - {"null"}))


def _split(alternatives: Iterable[Alternative]) -> list[Alternative]:
    """One alternative for each type, so that a list of types compares with an `anyOf` of them."""
    split = []
    for each in alternatives:
        if each.types >= ALL_TYPES - {"null"}:
            split.append(each)
            continue
        for name in type_names(each.types):
            types = each.types & NUMERIC if name == "number" else frozenset({name})
            split.append(Alternative(each.nodes, types))
    return split


def _match_equal(
    olds: list[Alternative], news: list[Alternative], signature: Callable[[Alternative], str]
) -> tuple[Matches, list[Alternative], list[Alternative]]:
    available: dict[str, list[Alternative]] = {}
    for new in news:
        available.setdefault(signature(new), []).append(new)
    matches: Matches = []
    left_old = []
    for old in olds:
        mark = signature(old)
        if mark and available.get(mark):
            matches.append((old, available[mark].pop(0)))
        else:
            left_old.append(old)
    return matches, left_old, [new for rest in available.values() for new in rest]


def _content(alternative: Alternative) -> str:
    return canonical([sorted(alternative.types), [node.body for node in alternative.nodes]])


def _components(alternative: Alternative) -> str:
    names = sorted(node.pointer for node in alternative.nodes if _COMPONENT.fullmatch(node.pointer))
    return canonical([sorted(alternative.types), names]) if names else ""


def _place(alternative: Alternative, at: str) -> str:
    return alternative.nodes[-1].pointer if alternative.nodes else at


def _name(alternative: Alternative) -> str:
    kind = " or ".join(type_names(alternative.types))
    components = [node.pointer for node in alternative.nodes if _COMPONENT.fullmatch(node.pointer)]
    return f"{kind} {components[-1].rpartition('/')[2]}" if components else kind
