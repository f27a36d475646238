"""What a comparison of conjunctions passes around: the pair, and a difference found in it."""

from dataclasses import dataclass
from typing import Any

from harness.openapi.document import Document, join
from harness.openapi.schema import Alternative


@dataclass(frozen=True, slots=True)
class Delta:
    """One difference, before the direction gives it a rule.

    Attributes:
        rule: The rule id without its direction, such as `range-narrowed`.
        pointer: Where it is seen.
        what: What differs, such as `minimum`.
    """

    rule: str
    pointer: str
    what: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class AlternativePair:
    """Two conjunctions to compare, the documents they refer into, and where the newer one stands."""

    old: Alternative
    new: Alternative
    old_document: Document
    new_document: Document
    at: str

    def place(self, keyword: str) -> str:
        """Where a keyword is seen: in the new schema, in the old one, or else the schema itself."""
        for alternative in (self.new, self.old):
            if nodes := alternative.having(keyword):
                return join(nodes[0].pointer, keyword)
        return self.at

    def either_allows(self, types: frozenset[str]) -> bool:
        """Whether some of the types are allowed before and after."""
        return bool(self.old.types & self.new.types & types)
