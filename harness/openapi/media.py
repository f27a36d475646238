"""Differences in bodies: media types, and the schema under each."""

from collections.abc import Iterator

from harness.openapi.document import Node
from harness.openapi.fingerprint import fingerprint
from harness.openapi.model import Change, Direction
from harness.openapi.rules import change
from harness.openapi.schema_diff import SchemaDiff


def media_changes(old: Node, new: Node, direction: Direction, schemas: SchemaDiff) -> Iterator[Change]:
    """Changes between the `content` of two request bodies, responses, headers or parameters.

    A range such as `*/*` stands for every type within it: a request's type may go where a new range
    takes it in, and a response's range may go where a new type lies within it.
    """
    before, after = _media_types(old), _media_types(new)
    covered: set[str] = set()
    for name, was in before.items():
        if name in after:
            partners = [name]
        elif direction is Direction.REQUEST:
            partners = [other for other in after if includes(other, name)][:1]
        else:
            partners = [other for other in after if includes(name, other)]
        if not partners:
            yield change(
                f"{direction}-media-type-removed",
                was.pointer,
                f"{direction} media type {name} removed",
                old=name,
            )
        for partner in partners:
            covered.add(partner)
            now = after[partner]
            yield from schemas.changes(was.child("schema"), now.child("schema"), direction)
            if direction is Direction.REQUEST:
                yield from _encoding(was, now, schemas)
    for name, now in after.items():
        if name not in covered:
            yield change(
                f"{direction}-media-type-added", now.pointer, f"{direction} media type {name} added", new=name
            )


def normal_media_type(name: str) -> str:
    """A media type as its equals are written too: UTF-8 is what text is sent in, said or not."""
    return name.lower().replace(" ", "").replace('"', "").replace(";charset=utf-8", "")


def _media_types(holder: Node) -> dict[str, Node]:
    return holder.keyed("content", normal_media_type)


def includes(media_range: str, media_type: str) -> bool:
    """Whether a range such as ``text/*`` takes in a media type."""
    kind, _, subtype = media_range.partition("/")
    return media_range == "*/*" or (subtype == "*" and media_type.startswith(f"{kind}/"))


def _encoding(old: Node, new: Node, schemas: SchemaDiff) -> Iterator[Change]:
    was, now = old.child("encoding"), new.child("encoding")
    marks = (
        fingerprint(schemas.old.document, was) if was else "",
        fingerprint(schemas.new.document, now) if now else "",
    )
    if marks[0] != marks[1]:
        yield change(
            "request-encoding-changed",
            (now or was or new).pointer,
            "request encoding of a media type changed",
            old=was.body if was else None,
            new=now.body if now else None,
        )
