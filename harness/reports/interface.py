"""A renderer turns a report into the text of one format."""

from typing import ClassVar, Protocol

from harness.model import Report


class Renderer(Protocol):
    """One format. Pure and total: any report that the model accepts has a rendering.

    Everything in a report that a candidate may have written is untrusted; a renderer shows it and
    never lets it act.
    """

    def render(self, report: Report) -> str:
        """The whole text, ending in a newline."""
        ...


class FileRenderer(Renderer, Protocol):
    """A format that each run is written in.

    Attributes:
        suffix: Ending of the file beside the JSON (``.junit.xml``).
    """

    suffix: ClassVar[str]
