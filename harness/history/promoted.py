"""The last promoted release in a folder of reports: what to go back to, and what limits are measured by."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from harness.errors import UsageError
from harness.history.folder import Stored, read_report, report_paths
from harness.history.policies import compare_policies, noteworthy
from harness.model import (
    Decision,
    Model,
    ModelIdentity,
    Report,
    Scope,
    SinceLastPromote,
    TargetDescription,
    Utf8Text,
)
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


class Release(Model):
    """A promoted release, as what to deploy again.

    Attributes:
        report: The path of the report that promoted it.
        reference: What it was compared with; None for a first release.
        previous: The last promote of the same suite before it that is another image, if any.
    """

    report: Utf8Text
    run_id: Utf8Text
    suite: Utf8Text
    device: Literal["cpu", "gpu"]
    finished_at: Utf8Text
    image: Utf8Text | None
    image_id: Utf8Text | None
    repo_digest: Utf8Text | None
    model: ModelIdentity
    reference: TargetDescription | None
    policy_sha256: Utf8Text
    previous: "Release | None" = None


def rollback_pointer(releases: Sequence[Release]) -> Release | None:
    """The newest of releases that are in the order of time, and the one before it; None without any.

    Raises:
        UsageError: they are of several suites.
    """
    suites = sorted({release.suite for release in releases})
    if len(suites) > 1:
        raise UsageError(
            f"there are promoted releases of {len(suites)} suites: {', '.join(suites)}",
            fix=f"add --suite {suites[0]}, or another of them",
        )
    if not releases:
        return None
    last = releases[-1]
    others = (release for release in reversed(releases) if _bytes(release) != _bytes(last))
    return last.model_copy(update={"previous": next(others, None)})


def release(stored: Stored) -> Release:
    """What a report that promoted a release says of it."""
    report, candidate = stored.report, stored.report.candidate
    return Release(
        report=str(stored.path),
        run_id=report.run_id,
        suite=report.suite,
        device=candidate.device,
        finished_at=report.finished_at,
        image=candidate.image,
        image_id=candidate.image_id,
        repo_digest=candidate.repo_digest,
        model=candidate.model,
        reference=report.reference,
        policy_sha256=report.policy.sha256,
    )


def _bytes(release: Release) -> tuple[str | None, ...]:
    """Which image it is; two builds of one model are two."""
    return (release.image_id,) if release.image_id else (release.repo_digest,)


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
