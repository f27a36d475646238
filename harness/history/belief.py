"""Whether a stored report may be what a run wrote: one that does not agree with itself promotes nothing."""

from datetime import datetime
from pathlib import Path

from harness import __version__
from harness.config.suite import parse_suite
from harness.errors import HarnessError
from harness.history.folder import Stored, moment
from harness.model import Decision, Outcome, Report
from harness.rejudge import verdict_of, verify_policy

_LETS_PROMOTE = frozenset({Outcome.PASS, Outcome.WARN, Outcome.NOT_APPLICABLE})


def why_not_believed(stored: Stored, now: datetime) -> str:
    """Why no run can have written it until ``now``; empty where nothing speaks against it.

    Of what does not promote only name and times are asked: it can but take a release away.
    """
    report = stored.report
    if stored.path.stem != report.run_id:
        return f"it is of run {report.run_id}, and has not that name"
    started, finished = moment(report.started_at), moment(report.finished_at)
    if started is None or finished is None or not started <= finished <= now:
        return "no run can have its times: it starts after its end, or ends in the future"
    return _contradiction(report, stored.path) if report.decision is Decision.PROMOTE else ""


def _contradiction(report: Report, path: Path) -> str:
    """Why its policy and results do not promote.

    What another version planned is not known here, so of its reports the results alone have to allow it.
    """
    try:
        verify_policy(report, path)
        if report.harness_version == __version__:
            suite = parse_suite(report.policy.content, Path(report.policy.path))
            decision = verdict_of(report, report.checks, suite.on(report.candidate.device)).decision
            return "" if decision is Decision.PROMOTE else f"it promotes, and its checks come to {decision}"
    except (HarnessError, ValueError, RecursionError) as error:
        return str(error).removeprefix(f"{path}: ")
    required = [check for check in report.checks if check.required]
    against = [check.id for check in required if check.outcome not in _LETS_PROMOTE]
    if against or not required:
        return f"it promotes, and its required checks do not: {', '.join(against) or 'it has none'}"
    return ""
