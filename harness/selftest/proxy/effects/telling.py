"""What a service tells of itself: metrics, its version, its OpenAPI document."""

import re
from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar

from harness.selftest.proxy.effect import Effect
from harness.selftest.proxy.effects.headers import ChangedAnswers
from harness.selftest.proxy.exchange import SUCCESS, Exchange, Part
from harness.selftest.proxy.fault import ProxyFault
from harness.selftest.proxy.json_text import Edit, Json, Kind
from harness.selftest.proxy.message import Message

OPENMETRICS = "application/openmetrics-text"
LABELS = rb'(?:\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?'
COUNTER = re.compile(rb"^(\w+_total" + LABELS + rb" )([0-9.eE+]+)", re.MULTILINE)
SECONDS_SUM = re.compile(rb"^(\w+_seconds_sum" + LABELS + rb" )([0-9.eE+-]+)", re.MULTILINE)
MS = 1000.0
VERSIONS = frozenset({"version", "model_version"})


def is_exposition(answer: Message) -> bool:
    """Whether it has metrics as Prometheus reads them, by its headers."""
    versioned = answer.media_type == "text/plain" and "version=" in answer.header("content-type")
    plain = not answer.header("content-encoding")
    return plain and answer.status in SUCCESS and (versioned or answer.media_type == OPENMETRICS)


class MetricsFrozen(Effect):
    """The metrics as they were when they were first asked for."""

    holds = frozenset({Part.ANSWER})

    def __init__(self, fault: ProxyFault, credential_headers: frozenset[str] = frozenset()) -> None:
        super().__init__(fault, credential_headers)
        self._first: dict[str, Message] = {}

    async def answered(self, exchange: Exchange, answer: Message) -> Message:
        """The rest stays."""
        if not is_exposition(answer):
            return answer
        first = self._first.setdefault(exchange.request.target, answer)
        self.applied += first.content != answer.content
        return first


class MetricsReplaced(ChangedAnswers):
    """Changes samples of the metrics."""

    sample: ClassVar[re.Pattern[bytes]]

    @abstractmethod
    def value(self, value: float) -> float:
        """What a sample's value becomes."""

    def changed(self, request: Message, answer: Message) -> Message:
        """Every such sample."""
        del request
        if not is_exposition(answer):
            return answer
        content = self.sample.sub(self._other, answer.content)
        return answer if content == answer.content else answer.with_content(content)

    def _other(self, found: re.Match[bytes]) -> bytes:
        return found[1] + repr(self.value(float(found[2]))).encode()


class CountersHalved(MetricsReplaced):
    """Counts every second event."""

    sample: ClassVar[re.Pattern[bytes]] = COUNTER

    def value(self, value: float) -> float:
        """Whole events."""
        return value // 2


class SecondsInMilliseconds(MetricsReplaced):
    """Sums milliseconds in a histogram of seconds."""

    sample: ClassVar[re.Pattern[bytes]] = SECONDS_SUM

    def value(self, value: float) -> float:
        """1,000 times as much."""
        return value * MS


class ChangedDocuments(ChangedAnswers):
    """Changes JSON that is read with GET."""

    @abstractmethod
    def edits(self, document: Json) -> Iterable[Edit]:
        """What is changed; nothing where it is another document."""

    def changed(self, request: Message, answer: Message) -> Message:
        """With the edits."""
        document = Json.of(answer) if request.method == "GET" and answer.status in SUCCESS else None
        if document is None:
            return answer
        content = document.edited(self.edits(document))
        return answer if content == answer.content else answer.with_content(content)


class AnotherVersionTold(ChangedDocuments):
    """Puts ``.1`` after every ``version`` and ``model_version``."""

    def edits(self, document: Json) -> Iterable[Edit]:
        """But not in an OpenAPI document, whose version is that of the interface."""
        if is_openapi(document):
            return
        for value in document.of_kind(Kind.OBJECT):
            for member in value.members:
                if member.name in VERSIONS and member.value.kind is Kind.STRING:
                    yield member.value.end - 1, member.value.end - 1, ".1"


class DocumentWithoutAPath(ChangedDocuments):
    """Leaves the last path out of the OpenAPI document."""

    def edits(self, document: Json) -> Iterable[Edit]:
        """It with the comma before it; where it is the only one it stays."""
        paths = [member.value for member in document.root.members if member.name == "paths"]
        if is_openapi(document) and paths and len(paths[0].members) > 1:
            *_, before, last = paths[0].members
            yield before.value.end, last.value.end, ""


def is_openapi(document: Json) -> bool:
    """Whether it is an OpenAPI document."""
    return "openapi" in {member.name for member in document.root.members}
