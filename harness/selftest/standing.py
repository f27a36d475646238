"""Names in a report the selftest that its gate stands on: the last one beside it. It decides nothing."""

import os
from pathlib import Path

from harness.config.suite import parse_suite
from harness.errors import ConfigError
from harness.model import Report, SelftestRecord
from harness.selftest.digests import digest_now
from harness.selftest.document import FOLDER, LATEST, SelftestDocument, load_document
from harness.selftest.model import Mode


def with_selftest(report: Report, out: Path) -> Report:
    """The report with what the last selftest in ``out`` showed; one that cannot be read is passed over.

    Nothing here may cost a run its report.
    """
    latest = out / FOLDER / LATEST
    try:
        document = load_document(latest)
        path = os.path.relpath(latest.resolve(), out.resolve())
    except (ConfigError, OSError):
        return report
    record = _record(document, path)
    if not _of_another(record, report):
        record = record.model_copy(update={"digest_at_run": _digest(report, document)})
    return held_against(report.model_copy(update={"selftest": record}))


def held_against(report: Report) -> Report:
    """The report with why its selftest, if it names one, says little of it: that was of something else."""
    record = report.selftest
    if record is None:
        return report
    stale = _of_another(record, report) or _of_what_was_changed(record)
    return report.model_copy(update={"selftest": record.model_copy(update={"stale": stale})})


def _record(document: SelftestDocument, path: str) -> SelftestRecord:
    found = document.matrix
    faults, benign = found.faults, found.benign
    return SelftestRecord(
        path=path,
        finished_at=document.finished_at,
        suite=document.suite,
        policy_sha256=document.policy_sha256,
        harness_version=document.harness_version,
        digest=document.digest,
        proxied=document.proxied,
        mode="full" if document.mode is Mode.FULL else "quick",
        faults=faults.of,
        benign=benign.of,
        detection=found.detection,
        killed_extended=found.killed_extended,
        false_rejects=found.false_rejects,
        undecided=faults.undecided + benign.undecided,
        inactive=faults.inactive + benign.inactive,
        error=faults.error + benign.error,
        untried=faults.untried + benign.untried,
    )


def _digest(report: Report, document: SelftestDocument) -> str:
    """What that of the selftest would be now; empty where some of what it is of can't be read."""
    try:
        suite = parse_suite(report.policy.content, Path(report.policy.path))
        return digest_now(suite, document.inputs, proxied=document.proxied)
    except (ConfigError, OSError):
        return ""


def _of_another(record: SelftestRecord, report: Report) -> str:
    if record.suite != report.suite:
        return f"it is of another suite, {record.suite}"
    if record.policy_sha256 != report.policy.sha256:
        return f"it is of {record.suite} with another gate.toml"
    if record.harness_version != report.harness_version:
        return f"it is of another version of harness, {record.harness_version}"
    return ""


def _of_what_was_changed(record: SelftestRecord) -> str:
    """The same suite, policy and version may still read other files, and judge by other code."""
    if not record.digest_at_run:
        return "whether it is of the same files and code could not be told"
    if record.digest != record.digest_at_run:
        return "its catalogue, a file that a check reads or the code of harness was changed since"
    return ""
