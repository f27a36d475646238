"""One self-contained HTML file: no script, no network, readable in print and aloud."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic_core import to_json

from harness.model import Report
from harness.reports import summary
from harness.reports.causes import causes
from harness.reports.figures.interface import Figure
from harness.reports.figures.svg import WIDTH
from harness.reports.pages import page_templates
from harness.reports.text import interval, observed_and_limit, quantity, seconds, words


@dataclass(frozen=True)
class TimeBar:
    """How long one check took; ``percent`` is of the longest bar."""

    label: str
    duration_s: float
    percent: float


@dataclass(frozen=True)
class HtmlRenderer:
    """The report as a page. Its only links lead into itself and the evidence folder beside it.

    Attributes:
        figures: The plots that it shows.
    """

    figures: tuple[Figure, ...] = ()
    suffix: ClassVar[str] = ".html"

    def render(self, report: Report) -> str:
        """The page; every value is made visible and escaped."""
        page = _TEMPLATES.get_template("report.html.j2").render(
            report=report,
            headline=summary.headline(report),
            caveats=summary.caveats(report),
            loosened=summary.loosened(report),
            stands_on=summary.stands_on(report),
            families=summary.families(report),
            causes=causes(report),
            identities=summary.side_by_side(report),
            figures=self.figures,
            width=WIDTH,
            time_bars=_time_bars(report),
            validity=[(key, _value(value)) for key, value in report.validity.items()],
        )
        return page + "\n"


def _time_bars(report: Report) -> Sequence[TimeBar]:
    """The checks in the order of the report, then what the run spent on anything else."""
    spent = [(check.id, check.duration_s) for check in report.checks]
    rest_s = report.duration_s - sum(duration_s for _, duration_s in spent)
    spent.append(("starting, stopping, the rest", max(rest_s, 0.0)))
    longest_s = max(_finite(duration_s for _, duration_s in spent), default=0.0)
    return [
        TimeBar(
            label,
            duration_s,
            100 * duration_s / longest_s if longest_s > 0 and math.isfinite(duration_s) else 0.0,
        )
        for label, duration_s in spent
    ]


def _finite(values: Iterable[float]) -> Iterable[float]:
    return (value for value in values if math.isfinite(value))


def _value(value: Any) -> str:
    if value is None or isinstance(value, bool | int | float | str):
        return quantity(value)
    return to_json(value, inf_nan_mode="strings").decode()


def _evidence_link(path: str, run_id: str) -> str:
    # The leading "./" keeps whatever the path says from being a scheme or a host.
    return f"./{quote(run_id, safe='')}/{quote(path)}"


_TEMPLATES = page_templates(
    "harness.reports",
    {
        "seconds": seconds,
        "evidence_link": _evidence_link,
        "observed_and_limit": observed_and_limit,
        "interval": interval,
        "needs_attention": summary.needs_attention,
        "why": summary.why,
        "words": words,
    },
)
