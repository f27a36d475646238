"""JUnit XML, for test viewers: one suite per family, one test case per finding."""

from collections.abc import Iterable
from typing import ClassVar
from xml.etree import ElementTree as ET

from harness.model import CheckResult, Finding, Outcome, Report
from harness.reports.summary import FamilyResult, families, why
from harness.reports.text import observed_and_limit, visible

_COUNTED = {"failure": "failures", "error": "errors", "skipped": "skipped"}


class JunitRenderer:
    """Failures are ``failure``; errors and inconclusive results ``error``; what did not run ``skipped``."""

    suffix: ClassVar[str] = ".junit.xml"

    def render(self, report: Report) -> str:
        """The ``testsuites`` document."""
        root = ET.Element(
            "testsuites", name=visible(f"{report.suite}: {report.decision}"), time=f"{report.duration_s:.3f}"
        )
        root.extend(_suite(result, report.started_at) for result in families(report))
        _count(root, root.iter("testcase"))
        ET.indent(root)
        return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(result: FamilyResult, started_at: str) -> ET.Element:
    suite = ET.Element(
        "testsuite",
        name=result.family.value,
        timestamp=visible(started_at),
        time=f"{result.duration_s:.3f}",
    )
    for check in result.checks:
        suite.extend(_cases(check))
    _count(suite, suite.iter("testcase"))
    return suite


def _cases(check: CheckResult) -> list[ET.Element]:
    """The findings; and the check itself, where its outcome comes from none of them."""
    cases = [_finding_case(check, finding) for finding in check.findings]
    if check.outcome not in {finding.outcome for finding in check.findings}:
        text = f"{why(check)}\nexecuted: {check.executed} of {check.expected}".strip()
        cases.insert(0, _case(check.id, check.id, check.outcome, why(check) or check.outcome.value, text))
    # The time was spent by the check as a whole: say it once, or viewers would add it up.
    cases[0].set("time", f"{check.duration_s:.3f}")
    return cases


def _finding_case(check: CheckResult, finding: Finding) -> ET.Element:
    observed, limit = observed_and_limit(finding)
    lines = {
        "observed": observed,
        "limit": limit,
        "samples": str(finding.samples) if finding.samples else "",
        "evidence": finding.evidence,
        "waived": finding.waiver or "",
        "reproduce": finding.reproduce,
    }
    text = "\n".join([finding.message, *(f"{key}: {value}" for key, value in lines.items() if value)])
    outcome = Outcome.SKIP if finding.waiver and finding.outcome is Outcome.FAIL else finding.outcome
    return _case(check.id, finding.id, outcome, finding.message, text)


def _case(check_id: str, name: str, outcome: Outcome, message: str, text: str) -> ET.Element:
    case = ET.Element("testcase", classname=visible(check_id), name=visible(name), time="0.000")
    match outcome:
        case Outcome.PASS:
            return case
        case Outcome.WARN:
            ET.SubElement(case, "system-out").text = visible(f"warning: {text}")
            return case
        case Outcome.FAIL:
            tag = "failure"
        case Outcome.SKIP | Outcome.NOT_APPLICABLE:
            tag = "skipped"
        case Outcome.ERROR | Outcome.INCONCLUSIVE:
            tag = "error"
    ET.SubElement(case, tag, message=visible(message), type=outcome.value).text = visible(text)
    return case


def _count(element: ET.Element, cases: Iterable[ET.Element]) -> None:
    found = list(cases)
    element.set("tests", str(len(found)))
    for tag, name in _COUNTED.items():
        element.set(name, str(sum(case.find(tag) is not None for case in found)))
