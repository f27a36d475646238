"""Decides which requests of a service that is in use are recorded, and what of them: never a credential."""

import base64
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO
from urllib.parse import urlsplit

from harness.checks.golden.wire import parse_json
from harness.pointer import without
from harness.traffic.recording import RecordedRequest, sendable


@dataclass
class Recorder:
    """Decides what is recorded, and how.

    Args:
        lines: Where they are written.
        paths: Requests of other paths are passed on only; empty records all.
        drop: Pointers to members of JSON bodies that are left out of the recording.
        with_query: Whether queries are recorded; they may hold credentials.
        share: Of the requests that are recorded.
        most: After these many nothing more is recorded.
        seed: Of the choice.
    """

    lines: TextIO
    paths: Sequence[str] = ()
    drop: Sequence[str] = ()
    with_query: bool = False
    share: float = 1.0
    most: int = 10_000
    seed: int = 0
    offered: int = 0
    recorded: int = 0
    dropped: set[str] = field(default_factory=set)
    full: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - a sample, no secret

    def offer(self, method: str, target: str, content_type: str | None, body: bytes | None) -> None:
        """Record a request, or not."""
        path = urlsplit(target).path
        with self._lock:
            self.offered += 1
            if self.paths and path not in self.paths:
                return
            if self.full.is_set() or self._random.random() >= self.share:
                return
            path = target if self.with_query else path
            self.lines.write(self._line(method, path, content_type, body) + "\n")
            self.recorded += 1
            if self.recorded >= self.most:
                self.full.set()

    @property
    def told(self) -> str:
        """What was recorded of what there was, and what was to be left out and never came."""
        said = f"{self.recorded} of {self.offered} requests that were answered 2xx are recorded"
        if never := [pointer for pointer in self.drop if pointer not in self.dropped]:
            said += f"; nothing was at {', '.join(never)}"
        return said

    def _line(self, method: str, path: str, content_type: str | None, body: bytes | None) -> str:
        fields: dict[str, Any] = {"method": method, "path": path}
        if body:
            fields["content_type"] = content_type if content_type and sendable(content_type) else None
            try:
                document = parse_json(body)
            except ValueError:
                # What is no JSON cannot be searched for what is to be left out.
                fields |= {"body": None} if self.drop else {"body_base64": base64.b64encode(body).decode()}
            else:
                for pointer in self.drop:
                    left = without(document, pointer)
                    if left is not document:
                        self.dropped.add(pointer)
                    document = left
                fields["body"] = document
        return RecordedRequest.model_construct(_fields_set=set(fields), **fields).line()
