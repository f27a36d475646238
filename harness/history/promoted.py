"""The last promoted release in a folder of reports: what to go back to, and what limits are measured by."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.history.folder import Stored, read_report, report_paths
from harness.history.policies import compare_policies, noteworthy
from harness.model import Decision, Report, Scope, SinceLastPromote
from harness.reports.store import RUN_ID


def why_no_release(report: Report) -> str:
    """Why a report names nothing that could be deployed again; empty where it does."""
    if report.decision is not Decision.PROMOTE:
        return f"it says {report.decision.value}"
    if report.partial:
        return "it is partial"
    if report.scope is not Scope.CONTAINER:
        return f"its candidate was a {report.scope.value}, not a container"
    if not (report.candidate.image_id or report.candidate.repo_digest):
        return "it names neither image id nor repository digest"
    return ""


def last_promoted(reports: Iterable[Stored]) -> Stored | None:
    """The newest of the reports that name a release; None without any."""
    releases = (stored for stored in reports if not why_no_release(stored.report))
    return max(releases, key=lambda stored: stored.started, default=None)


def since_last_promote(report: Report, folder: Path) -> SinceLastPromote | None:
    """How the policy of a run lets more pass than that of its suite's last promote in ``folder``.

    Files that cannot be read are passed over: nothing here may cost a run its report.
    """
    stored = _last_of_suite(folder, report.suite)
    if stored is None:
        return None
    promoted = stored.report
    compared = compare_policies(promoted.policy, report.policy)
    return SinceLastPromote(
        run_id=promoted.run_id,
        finished_at=promoted.finished_at,
        image=promoted.candidate.image,
        image_id=promoted.candidate.image_id,
        repo_digest=promoted.candidate.repo_digest,
        policy_sha256=promoted.policy.sha256,
        changes=noteworthy(compared.changes),
        problem=compared.problem,
    )


def _last_of_suite(folder: Path, suite: str) -> Stored | None:
    """As :func:`last_promoted`; the newest run id first, so that few of many files are read."""
    paths = report_paths(folder)
    runs = [path for path in reversed(paths) if RUN_ID.fullmatch(path.stem)]
    others = [path for path in paths if not RUN_ID.fullmatch(path.stem)]
    newest = next(_releases(runs, suite), None)
    return last_promoted([*([newest] if newest else []), *_releases(others, suite)])


def _releases(paths: Iterable[Path], suite: str) -> Iterator[Stored]:
    for path in paths:
        read = read_report(path)
        if isinstance(read, Stored) and read.report.suite == suite and not why_no_release(read.report):
            yield read
