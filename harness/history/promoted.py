"""The last promoted release in a folder of reports: what to go back to, and what limits are measured by.

A promote is a release until a run says otherwise of the same image: a later one, or one on another device.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from harness.errors import UsageError
from harness.history.belief import why_not_believed
from harness.history.folder import Stored, read_report, read_reports, report_paths
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


@dataclass(frozen=True)
class Judged:
    """What a run says of an image; that is kept of it, since a thousand whole reports would fill the memory.

    Attributes:
        order: Sorts runs from the oldest to the newest.
        digests: What the image is known by: each engine may have an id for it, each repository a name.
        of_no_image: Why it says nothing of an image that could be deployed; else empty.
        release: What it promotes, or would have.
    """

    path: Path
    order: tuple[datetime, str]
    decision: Decision
    digests: frozenset[str]
    of_no_image: str
    release: Release

    @property
    def why_no_release(self) -> str:
        """Why it names nothing that could be deployed again; empty where it does."""
        otherwise = "" if self.decision is Decision.PROMOTE else f"it says {self.decision.value}"
        return otherwise or self.of_no_image


@dataclass(frozen=True)
class Promote:
    """A run that promoted an image.

    Attributes:
        against: The newest of the runs by which the image is no release after all; None where it is one.
    """

    run: Judged
    against: Judged | None


def judged(stored: Stored) -> Judged:
    """What is kept of a report."""
    report, candidate = stored.report, stored.report.candidate
    pushed = (candidate.repo_digest or "").rpartition("@")[2]
    return Judged(
        path=stored.path,
        order=stored.started,
        decision=report.decision,
        digests=frozenset(filter(None, (candidate.image_id, pushed))),
        of_no_image=_of_no_image(report),
        release=Release(
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
        ),
    )


def _of_no_image(report: Report) -> str:
    if report.partial:
        return "it is partial"
    if report.scope is not Scope.CONTAINER:
        return f"its candidate was a {report.scope.value}, not a container"
    if not (report.candidate.image_id or report.candidate.repo_digest):
        return "it names neither image id nor repository digest"
    return ""


def promotes(runs: Sequence[Judged]) -> Iterator[Promote]:
    """Every promote among all runs of a folder, from the newest to the oldest."""
    ordered = sorted((run for run in runs if not run.of_no_image), key=lambda run: run.order)
    for run in reversed(ordered):
        if run.decision is Decision.PROMOTE:
            yield Promote(run, _against(run, ordered))


def _against(promote: Judged, ordered: Sequence[Judged]) -> Judged | None:
    """Of the newest runs of its image, one on each device, the newest that does not promote it."""
    newest = {
        run.release.device: run
        for run in ordered
        if run.release.suite == promote.release.suite and not run.digests.isdisjoint(promote.digests)
    }
    others = (run for run in newest.values() if run.decision is not Decision.PROMOTE)
    return max(others, key=lambda run: run.order, default=None)


def rollback_pointer(releases: Sequence[Judged]) -> Release | None:
    """The first of promoted releases, which are the newest first, with the one before it; None without any.

    Raises:
        UsageError: they are of several suites.
    """
    suites = sorted({run.release.suite for run in releases})
    if len(suites) > 1:
        raise UsageError(
            f"there are promoted releases of {len(suites)} suites: {', '.join(suites)}",
            fix=f"add --suite {suites[0]}, or another of them",
        )
    if not releases:
        return None
    last = releases[0]
    others = (run.release for run in releases if run.digests.isdisjoint(last.digests))
    return last.release.model_copy(update={"previous": next(others, None)})


def with_last_promote(report: Report, folder: Path) -> Report:
    """The report with how its policy lets more pass than that of the last promote in ``folder``, or why not.

    That is the last one of its suite on its device that began before it. Files that cannot be read or
    believed are passed over: nothing here may cost a run its report.
    """
    began = Stored(folder, report).started
    earlier = [run for run in _standing(folder) if run.order < began]
    alike = (report.suite, report.candidate.device)
    last = next((run for run in earlier if (run.release.suite, run.release.device) == alike), None)
    read = read_report(last.path) if last else None
    if isinstance(read, Stored):
        return report.model_copy(update={"since_last_promote": _since(read.report, report)})
    if _of_no_image(report):
        return report
    others = sum(run.release.suite != report.suite for run in earlier)
    beside = f"; those of other suites there: {others}" if others else ""
    why = f"no earlier promote of {report.suite} on {report.candidate.device} lies beside the report{beside}"
    return report.model_copy(update={"limits_not_compared": why})


def _standing(folder: Path) -> list[Judged]:
    now = datetime.now(UTC)
    found = read_reports(
        report_paths(folder), lambda _done, _total: None, lambda stored: why_not_believed(stored, now)
    )
    runs = [judged(read) for read in found if isinstance(read, Stored)]
    return [each.run for each in promotes(runs) if each.against is None]


def _since(promoted: Report, report: Report) -> SinceLastPromote:
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
