"""What a document says an operation may answer: statuses, media types, headers and schemas."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from harness.openapi.document import Document, Node
from harness.openapi.media import includes, normal_media_type
from harness.openapi.operation import Operation, headers_by_name, operations, responses_by_status


@dataclass(frozen=True, slots=True)
class DocumentedAnswer:
    """What stands under one status.

    Attributes:
        media: JSON pointer to the schema of each media type, None where it has none; without any, no body.
        required_headers: In lower case.
    """

    media: Mapping[str, str | None]
    required_headers: tuple[str, ...]

    def media_type_of(self, written: str) -> str | None:
        """The documented media type, or range, that takes in one of an answer."""
        name = normal_media_type(written)
        bare = name.partition(";")[0]
        candidates = (*(each for each in (name, bare) if each in self.media), *self.media)
        return next((each for each in candidates if each in (name, bare) or includes(each, bare)), None)


@dataclass(frozen=True, slots=True)
class DocumentedOperation:
    """One operation with its answers.

    Attributes:
        answers: By status as documented, upper case: ``200``, ``4XX``, ``DEFAULT``.
    """

    operation: Operation
    answers: Mapping[str, DocumentedAnswer]

    @property
    def name(self) -> str:
        """Such as ``POST /predict``."""
        return self.operation.name

    @classmethod
    def of(cls, operation: Operation, document: Document) -> Self:
        """Read the answers of an operation."""
        return cls(
            operation=operation,
            answers={
                status: _answer(node, document)
                for status, node in responses_by_status(operation.node, document).items()
            },
        )

    def key(self, status: int) -> str | None:
        """Under which key a status is documented: its own, its range, or the default; None under none."""
        keys = (str(status), f"{status // 100}XX", "DEFAULT")
        return next((key for key in keys if key in self.answers), None)

    def takes(self, method: str, path: str) -> bool:
        """Whether a request with this path, its query left aside, is one to this operation."""
        return self.operation.takes(method, path)


def documented_operations(body: Mapping[str, Any], *, name: str = "document") -> list[DocumentedOperation]:
    """All operations of a document, those of paths without parameters first, as requests are matched.

    Raises:
        OpenAPIError: it is not OpenAPI.
    """
    document = Document(body, name)
    found = [
        DocumentedOperation.of(operation, document)
        for path, item in document.paths().items()
        for operation in operations(path, item, document).values()
    ]
    return sorted(found, key=lambda each: "{" in each.operation.path)


def _answer(node: Node, document: Document) -> DocumentedAnswer:
    media = {}
    for kind, described in node.keyed("content", normal_media_type).items():
        schema = described.child("schema")
        media[kind] = schema.pointer if schema else None
    headers = headers_by_name(node, document)
    return DocumentedAnswer(media, tuple(name for name, header in headers.items() if header.flag("required")))
