"""Differences in who may call an operation.

A requirement is what one caller must hold: a set of atoms, each a scheme or a scheme's scope. Any
one requirement of the list suffices, and the empty one lets everybody in. So a caller gets in anew
exactly when a new requirement includes no old one, and is shut out when an old one includes no new.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.openapi.document import Document, Node
from harness.openapi.model import Change, show
from harness.openapi.rules import change

Requirement = frozenset[tuple[str, str]]
"""Pairs of scheme and scope; the empty scope is the scheme itself."""


def scheme_changes(old: Document, new: Document) -> Iterator[Change]:
    """Changes in the definitions of security schemes."""
    before, after = old.component("securitySchemes"), new.component("securitySchemes")
    renamed = _renamed(before, after)
    for name in sorted({*before, *after} - renamed.keys() - set(renamed.values())):
        if name not in after:
            yield change(
                "security-scheme-removed", before[name].pointer, f"security scheme {name!r} removed", old=name
            )
        elif name not in before:
            yield change(
                "security-scheme-added", after[name].pointer, f"security scheme {name!r} added", new=name
            )
        elif (was := _definition(before[name])) != (now := _definition(after[name])):
            for key in sorted(key for key in {*was, *now} if was.get(key) != now.get(key)):
                yield change(
                    "security-scheme-changed",
                    after[name].pointer,
                    f"security scheme {name!r}: {key} was {show(was.get(key))}, is {show(now.get(key))}",
                    old=was.get(key),
                    new=now.get(key),
                )


@dataclass(frozen=True)
class SecurityDiff:
    """Compares what operations of two documents require, schemes that were only renamed taken as equal."""

    old: Document
    new: Document
    defined: tuple[frozenset[str], frozenset[str]]
    renamed: Mapping[str, str]

    @classmethod
    def between(cls, old: Document, new: Document) -> "SecurityDiff":
        """Prepare the comparison of two documents."""
        before, after = old.component("securitySchemes"), new.component("securitySchemes")
        return cls(old, new, (frozenset(before), frozenset(after)), _renamed(before, after))

    def changes(self, old: Node, new: Node) -> Iterator[Change]:
        """Changes between two operations; where one declares nothing its document's default counts."""
        before = _requirements(old, self.old, {})
        after = _requirements(new, self.new, self.renamed)
        at = f"{new.pointer}/security" if "security" in new.fields else "/security"
        if "security" not in new.fields and "security" not in self.new.root.fields:
            at = new.pointer
        texts = {"old": _text(before), "new": _text(after)}
        difference = f"was {texts['old']}, is {texts['new']}"
        if any(not any(known <= each for known in before) for each in after):
            if frozenset() in after:
                yield change(
                    "security-requirement-removed", at, f"callable without credentials: {difference}", **texts
                )
            else:
                yield change(
                    "security-requirement-loosened", at, f"other credentials let in: {difference}", **texts
                )
        if any(not any(known <= each for known in after) for each in before):
            if frozenset() in before:
                yield change(
                    "security-requirement-added", at, f"now needs credentials: {difference}", **texts
                )
            else:
                yield change(
                    "security-requirement-tightened", at, f"credentials no longer do: {difference}", **texts
                )
        # Without a definition nothing says what a caller has to hold.
        undefined = (_named(old, self.old) - self.defined[0], _named(new, self.new) - self.defined[1])
        for name in sorted(undefined[1] - undefined[0]):
            yield change(
                "security-scheme-undefined", at, f"the scheme {name!r} that it needs is not defined", new=name
            )


def _named(operation: Node, document: Document) -> set[str]:
    return {scheme for requirement in _requirements(operation, document, {}) for scheme, _ in requirement}


def _requirements(operation: Node, document: Document, renamed: Mapping[str, str]) -> frozenset[Requirement]:
    declaring = operation if "security" in operation.fields else document.root
    found = frozenset(
        frozenset(
            atom
            for name in each.fields
            for known in [renamed.get(name, name)]
            for atom in [(known, ""), *((known, scope) for scope in each.names(name))]
        )
        for each in declaring.elements("security")
    )
    return found or frozenset({frozenset()})


def _text(requirements: frozenset[Requirement]) -> str:
    texts = []
    for requirement in requirements:
        names = sorted(f"{scheme}:{scope}" if scope else scheme for scheme, scope in requirement)
        texts.append(" and ".join(names) or "nothing")
    return " or ".join(sorted(texts))


def _renamed(old: Mapping[str, Node], new: Mapping[str, Node]) -> dict[str, str]:
    """New names of schemes by definition: new name to old name."""
    gone = {name: _definition(node) for name, node in sorted(old.items(), key=_name) if name not in new}
    renamed: dict[str, str] = {}
    for name, node in sorted(new.items(), key=_name):
        if name not in old:
            definition = _definition(node)
            match = next((known for known, was in gone.items() if was == definition), None)
            if match is not None:
                renamed[name] = match
                del gone[match]
    return renamed


def _name(entry: tuple[str, Node]) -> str:
    return entry[0]


def _definition(scheme: Node) -> dict[str, Any]:
    """What a caller has to know of a scheme: neither prose nor the list of scopes."""
    kind = scheme.text("type")
    where = scheme.text("in")
    name = scheme.text("name")
    definition = {
        "type": kind,
        "in": where,
        "name": name.lower() if name and where == "header" else name,
        "scheme": (scheme.text("scheme") or "").lower() or None,
        "openIdConnectUrl": scheme.text("openIdConnectUrl"),
    }
    for flow, node in scheme.members("flows").items():
        for key in ("authorizationUrl", "tokenUrl", "refreshUrl"):
            definition[f"flows.{flow}.{key}"] = node.text(key)
    return {key: value for key, value in definition.items() if value is not None}
