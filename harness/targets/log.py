"""Searches all that a service wrote, in bounded memory."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

PART_BYTES = 8 * 1024 * 1024
OVERLAP_BYTES = 2 * 1024 * 1024
"""More than the longest token that a scenario sends."""
ENTRY_BYTES = 128
"""More than the engine stores around an entry, which is a line or 16 KiB of a long one."""
LONGEST_ENTRY_BYTES = 16 * 1024
ESCAPED = ("<", ">", "&")


@dataclass(frozen=True)
class LogSearch:
    """What a search found.

    Attributes:
        found: Whether it is there.
        whole: Whether nothing can be missing of what was written.
    """

    found: bool
    whole: bool


def search(
    pieces: Iterable[bytes], holds: Callable[[str], bool], *, kept_bytes: int | None = None
) -> LogSearch:
    """Whether ``holds`` is true of some part of a log; the parts overlap, as what is sought may be cut.

    Args:
        pieces: The log in order.
        holds: Is told parts of some 8 MiB.
        kept_bytes: At least so much is stored, as the engine's JSON, before anything is dropped; None drops
            nothing.
    """
    part = bytearray()
    found, stored_bytes = False, 0
    for piece in pieces:
        part += piece
        stored_bytes += most_stored_bytes(piece)
        if len(part) >= PART_BYTES:
            found = found or holds(part.decode("utf-8", "replace"))
            del part[:-OVERLAP_BYTES]
    found = found or holds(part.decode("utf-8", "replace"))
    return LogSearch(found, whole=kept_bytes is None or stored_bytes < kept_bytes)


def most_stored_bytes(written: bytes) -> int:
    """At most how many bytes of the engine's JSON lines (its ``json-file`` driver) this is."""
    text = written.decode("utf-8", "replace")
    entries = len(written.splitlines()) + len(written) // LONGEST_ENTRY_BYTES
    return len(json.dumps(text)) + 5 * sum(map(text.count, ESCAPED)) + ENTRY_BYTES * entries
