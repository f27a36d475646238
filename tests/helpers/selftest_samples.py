"""Catalogues, trials and reports of selftests, made up."""

import textwrap

import report_samples
from hypothesis import strategies as st

from harness.model import CheckError, CheckResult, Decision, ErrorKind, Family, Finding, Outcome, Reason
from harness.selftest.model import Kind, Listed, Mode, Result, Trial

HEALTHY = "sha256:" + "ab" * 32
OF_FAULTS = tuple(each for each in Result if each not in {Result.PROMOTED, Result.FALSE_REJECT})
OF_BENIGN = tuple(
    each for each in Result if each not in {Result.KILLED, Result.WRONG_REASON, Result.SURVIVED}
)
FAULT = """
does = "is off by one"
family = "golden"
caught_by = { "golden.single" = ["golden.single.y"] }
"""
BENIGN = """
does = "says so in other words"
family = "golden"
near = ["golden.single"]
"""


def write_entry(catalogue, kind, name, text, **files):
    """An entry of a catalogue in a folder; further files by their stems. Gives its folder."""
    folder = catalogue / {"fault": "faults", "benign": "benign"}[kind] / name
    folder.mkdir(parents=True)
    (folder / f"{kind}.toml").write_text(textwrap.dedent(text))
    for stem, content in files.items():
        (folder / f"{stem}.py").write_text(textwrap.dedent(content))
    return folder


def listed(name="off_by_one", kind=Kind.FAULT, family=Family.GOLDEN, checks=("golden.single",)):
    return Listed(name=name, kind=kind, family=family, does="is off by one", checks=checks)


def trial(name="off_by_one", result=Result.KILLED, kind=Kind.FAULT, **others):
    fields = {
        "family": Family.GOLDEN,
        "mode": Mode.QUICK,
        "seed": 0,
        "healthy": HEALTHY,
        "expected": ("golden.single",) if kind is Kind.FAULT else (),
        "failed": {"golden.single": ("golden.single.y",)} if result is Result.KILLED else {},
        "verdict_s": 12.5,
        "took_s": 20.0,
        "finished_at": "2026-11-22T10:00:00+00:00",
    }
    return Trial(name=name, kind=kind, result=result, **(fields | others))


def check(check_id, outcome=Outcome.PASS, *findings, required=True, error=None):
    """A check of a report; each finding that is named has its outcome."""
    return CheckResult(
        id=check_id,
        family=Family(check_id.partition(".")[0]),
        required=required,
        outcome=outcome,
        expected=1,
        executed=1,
        duration_s=1.0,
        error=CheckError(kind=error, message="the engine was gone") if error else None,
        findings=tuple(Finding(id=each, outcome=outcome, message=each) for each in findings),
    )


def report(decision, *checks, partial=True):
    reasons = tuple(
        Reason(check_id=each.id, finding_id="", message=each.id)
        for each in checks
        if each.outcome not in {Outcome.PASS, Outcome.WARN}
    )
    return report_samples.report(decision, checks, reasons, partial=partial)


def matrices():
    """The entries of a catalogue, with a trial of some of them: any result that one of its kind can have."""
    entries = st.lists(
        st.tuples(st.sampled_from(Kind), st.sampled_from([Family.GOLDEN, Family.FUZZ, Family.LATENCY, None])),
        max_size=12,
    )
    return entries.flatmap(_with_trials)


def _with_trials(kinds):
    entries = [listed(f"entry_{number}", kind, family) for number, (kind, family) in enumerate(kinds)]
    results = [
        st.none() | st.sampled_from(OF_FAULTS if entry.kind is Kind.FAULT else OF_BENIGN) for entry in entries
    ]
    return st.tuples(*results).map(
        lambda found: (
            entries,
            {
                entry.name: trial(entry.name, result, entry.kind, family=entry.family)
                for entry, result in zip(entries, found, strict=True)
                if result is not None
            },
        )
    )


def gate_reports():
    """Any verdict over checks of golden and contract, that of the policy or not."""
    outcomes = st.sampled_from(Outcome)
    findings = st.lists(
        st.sampled_from(["golden.single.y", "golden.single.z", "golden.batch.y", "golden.batch.z.rows"]),
        max_size=2,
        unique=True,
    )
    checks = st.lists(
        st.builds(
            lambda name, outcome, ids, error: check(name, outcome, *ids, error=error),
            st.sampled_from(["golden.single", "golden.batch", "contract.openapi", "lifecycle.target"]),
            outcomes,
            findings,
            st.none() | st.sampled_from(ErrorKind),
        ),
        unique_by=lambda each: each.id,
        max_size=4,
    )
    return st.builds(
        lambda decision, found, partial: report(decision, *found, partial=partial),
        st.sampled_from(Decision),
        checks,
        st.booleans(),
    )
