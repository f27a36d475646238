"""The report itself, as JSON."""

from typing import ClassVar

from pydantic import BaseModel

from harness.model import Report


def ascii_json(model: BaseModel) -> str:
    """Keys in the model's order, two spaces of indent, and a newline.

    Non-ASCII is escaped, so that what is printed to a terminal cannot carry control or bidirectional
    characters there.
    """
    text = model.model_dump_json(indent=2, ensure_ascii=True)
    # DEL is the one control character that JSON lets stand; it can only be inside a string.
    return text.replace("\x7f", r"\u007f") + "\n"


class JsonRenderer:
    """As :func:`ascii_json`."""

    suffix: ClassVar[str] = ".json"

    def render(self, report: Report) -> str:
        """The JSON of ``contracts/report.schema.json``."""
        return ascii_json(report)
