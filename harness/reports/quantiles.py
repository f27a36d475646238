"""The quantiles that checks judged, a line for each check: what a promote shows of its latency."""

import re
from collections.abc import Iterable

from harness.model import CheckResult, Finding, Report, Scalar
from harness.reports.text import quantity

_NAME = re.compile(r"(p[0-9]+(?:\.[0-9]+)?)(?:\.slo|\.ratio)?")
"""What stands behind the check's id in such a finding's: ``p99``, ``p99.9.slo``, ``p50.ratio``."""


def observed_quantiles(report: Report) -> tuple[tuple[str, str], ...]:
    """Id and line of each check that observed quantiles; both are untrusted.

    ``p50 1.126 ms (limit 25), 1.013 times the reference (limit 1.1); p95 ...``, to four digits.
    """
    lines = ((check.id, _line(check)) for check in report.checks)
    return tuple((check_id, line) for check_id, line in lines if line)


def _line(check: CheckResult) -> str:
    values: dict[str, list[str]] = {}
    for name, finding in _quantiles(check):
        limit = f" (limit {_number(finding.limit)})" if isinstance(finding.limit, int | float) else ""
        unit = f" {finding.unit}" if finding.unit else ""
        values.setdefault(name, []).append(f"{_number(finding.observed)}{unit}{limit}")
    return "; ".join(f"{name} {', '.join(each)}" for name, each in values.items())


def _quantiles(check: CheckResult) -> Iterable[tuple[str, Finding]]:
    for finding in check.findings:
        name = _NAME.fullmatch(finding.id.removeprefix(f"{check.id}."))
        if name and isinstance(finding.observed, int | float):
            yield name[1], finding


def _number(value: Scalar) -> str:
    return quantity(float(f"{value:.4g}")) if isinstance(value, float) else quantity(value)
