"""A selftest as one self-contained HTML file: no script, no network."""

from harness.reports.pages import page_templates
from harness.reports.text import seconds
from harness.selftest.document import SelftestDocument
from harness.selftest.matrix import Row
from harness.selftest.model import AS_IT_SHOULD, WRONG, Kind
from harness.selftest.tables import headline, mend_first, result_words, shares, why


def page(document: SelftestDocument) -> str:
    """The page; every value is made visible and escaped."""
    rows = document.matrix.rows
    text = _TEMPLATES.get_template("selftest.html.j2").render(
        document=document,
        headline=headline(document),
        mend_first=mend_first(document),
        shares=shares(document),
        checks=tuple(kills.check for kills in document.matrix.kills),
        faults=tuple(row for row in rows if row.entry.kind is Kind.FAULT),
        benign=tuple(row for row in rows if row.entry.kind is Kind.BENIGN),
    )
    return text + "\n"


def _tone(row: Row) -> str:
    """The class of its result."""
    if row.result in AS_IT_SHOULD:
        return "good"
    return "bad" if row.result in WRONG else "unsure"


def _mark(row: Row, check: str) -> str:
    """What a check did to a fault: killed it, failed though it was not named, or missed it."""
    if row.trial is None:
        return ""
    expected, failed = check in row.trial.expected, check in row.trial.failed
    if failed:
        return "●" if expected else "○"
    return "✕" if expected else ""


_TEMPLATES = page_templates(
    "harness.selftest",
    {"seconds": seconds, "tone": _tone, "mark": _mark, "result_words": result_words, "why": why},
)
