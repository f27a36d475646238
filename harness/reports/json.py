"""The report itself, as JSON."""

from typing import ClassVar

from harness.model import Report


class JsonRenderer:
    """Keys in the model's order, two spaces of indent.

    Non-ASCII is escaped, so that a report printed to a terminal cannot carry control or
    bidirectional characters there.
    """

    suffix: ClassVar[str] = ".json"

    def render(self, report: Report) -> str:
        """The JSON of ``contracts/report.schema.json``."""
        text = report.model_dump_json(indent=2, ensure_ascii=True)
        # DEL is the one control character that JSON lets stand; it can only be inside a string.
        return text.replace("\x7f", r"\u007f") + "\n"
