"""The JSON of predictions: the members of its objects, and its labels."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from harness.selftest.proxy.effects.answers import JsonAnswers
from harness.selftest.proxy.exchange import Exchange
from harness.selftest.proxy.fault import ProxyFault
from harness.selftest.proxy.json_text import Edit, Json, Kind, Value

ADDED = '"added_by_the_proxy":true'
SEEN_AGAIN = 2
"""What is seen so often is a label; an identifier is another each time."""
MOST_LABELS = 1000


class MemberDropped(JsonAnswers):
    """Leaves out the last member of the outermost object."""

    def edits(self, exchange: Exchange, document: Json) -> Iterable[Edit]:
        """It with its comma."""
        del exchange
        members = document.root.members
        if not members:
            return []
        last = members[-1]
        start = members[-2].value.end if len(members) > 1 else last.start
        return [(start, last.value.end, "")]


class MemberAdded(JsonAnswers):
    """Adds a member to the outermost object."""

    def edits(self, exchange: Exchange, document: Json) -> Iterable[Edit]:
        """As its last."""
        del exchange
        root = document.root
        if root.kind is not Kind.OBJECT:
            return []
        comma = "," if root.members else ""
        return [(root.end - 1, root.end - 1, f"{comma}{ADDED}")]


class MemberRenamed(JsonAnswers):
    """Puts an underscore after the name of the first member of the outermost object."""

    def edits(self, exchange: Exchange, document: Json) -> Iterable[Edit]:
        """The name alone."""
        del exchange
        return [
            (member.start, member.end, json.dumps(f"{member.name}_")) for member in document.root.members[:1]
        ]


class LabelReplaced(JsonAnswers):
    """In one of ``one_in`` answers, another label that was seen in its place for the first that has one."""

    def __init__(self, fault: ProxyFault, credential_headers: frozenset[str] = frozenset()) -> None:
        super().__init__(fault, credential_headers)
        self._seen: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def edits(self, exchange: Exchange, document: Json) -> Iterable[Edit]:
        """One or none."""
        del exchange
        other = None
        for place, value in _texts(document.root):
            label = document.source(value)
            seen = self._seen[place]
            if label in seen or len(seen) < MOST_LABELS:
                seen[label] += 1
            if other is None and seen[label] >= SEEN_AGAIN:
                others = (each for each, times in seen.items() if times >= SEEN_AGAIN and each != label)
                other = next(((value.start, value.end, each) for each in others), None)
        return [other] if other is not None and self.hit() else []


def _texts(value: Value, place: str = "") -> Iterator[tuple[str, Value]]:
    """Every string with the names that lead to it; the items of an array are of one place."""
    if value.kind is Kind.STRING:
        yield place, value
    for member in value.members:
        yield from _texts(member.value, f"{place}/{member.name}")
    for item in value.items:
        yield from _texts(item, f"{place}/*")
